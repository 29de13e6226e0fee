"""Translate the blocks of a stream into another dialect than its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..dialects.protocol import JSON, Decoder, Dialect, Encoder
from ..errors import ProxyError
from ..streams.stream import Stream


def decoder_of(dialects: Mapping[str, Dialect], stream: Stream) -> Decoder:
    """Return a new decoder for the blocks of a stream.

    Raises:
        ProxyError: This process does not have the stream's dialect: another process, with another
            plugin, has written it (503, ``unknown_dialect``).
    """
    dialect = dialects.get(stream.meta.dialect)
    if dialect is None:
        raise ProxyError(
            "This server cannot read the stream: it lacks the plugin with the stream's dialect.",
            code="unknown_dialect",
            status=503,
        )
    return dialect.decoder()


def translated(
    decoder: Decoder, stream: Stream, blocks: Iterable[bytes], encoder: Encoder
) -> list[bytes]:
    """Decode a stream's blocks and encode them; the result has no terminator.

    Raises:
        UpstreamError: A block cannot be read (``upstream_malformed``).
    """
    encoded = encoder.encode(stream.meta.start)
    for block in blocks:
        for event in decoder.decode(block):
            encoded += encoder.encode(event)
    return encoded


def fold(
    dialects: Mapping[str, Dialect],
    stream: Stream,
    dialect: Dialect,
    blocks: Iterable[bytes],
    encoder: Encoder,
) -> JSON:
    """Fold the blocks of a complete stream into one answer of ``dialect``.

    Raises:
        UpstreamError: A block cannot be read (``upstream_malformed``).
    """
    if dialect.name == stream.meta.dialect:
        return dialect.fold(blocks)
    decoder = decoder_of(dialects, stream)
    return dialect.fold([*translated(decoder, stream, blocks, encoder), *encoder.end()])
