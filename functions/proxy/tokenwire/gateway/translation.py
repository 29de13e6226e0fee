"""Translate the blocks of a stream into another dialect than its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence

from ..dialects.protocol import JSON, Decoder, Dialect, Encoder
from ..errors import ProxyError, UpstreamError
from ..events import Error, Finish
from ..streams.framing import BlockStream
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


class TranslatedBlocks:
    """A provider's blocks in another dialect, while they arrive.

    Args:
        wanted: The dialect of the result.
        given: The dialect of ``blocks``.
        blocks: The provider's.
    """

    rest = b""

    def __init__(self, wanted: Dialect, given: Dialect, blocks: BlockStream) -> None:
        self._decoder = given.decoder()
        self._encoder = wanted.encoder()
        self._blocks = blocks
        self._batches = aiter(blocks)
        self._failure: UpstreamError | None = None
        self._has_finished = self._has_ended = False

    def __aiter__(self) -> AsyncIterator[Sequence[bytes]]:
        return self

    async def __anext__(self) -> Sequence[bytes]:
        if self._failure is not None:
            raise self._failure
        if self._has_ended:
            raise StopAsyncIteration
        try:
            return self._translated(await anext(self._batches))
        except StopAsyncIteration:
            self._has_ended = True
            # Some compatible servers send no terminator. After a finish the answer is complete.
            if not (self._has_finished and self._decoder.may_lack_end):
                raise
            return self._encoder.end()

    async def follow(self, take: Callable[[Sequence[bytes]], bool]) -> None:
        """As ``BlockStream``: not possible."""

    def _translated(self, batch: Sequence[bytes]) -> list[bytes]:
        result: list[bytes] = []
        try:
            for block in batch:
                result += self._block(block)
                if self._has_ended:
                    break
        except UpstreamError as error:
            if not result:
                raise
            self._failure = error
        return result

    def _block(self, block: bytes) -> list[bytes]:
        self._has_ended = self._decoder.ends(block)
        result: list[bytes] = []
        for event in self._decoder.decode(block):
            self._has_finished = self._has_finished or isinstance(event, Finish)
            if isinstance(event, Error):
                result += self._encoder.error(event)
            else:
                result += self._encoder.encode(event)
        return [*result, *self._encoder.end()] if self._has_ended else result

    async def drain(self) -> None:
        """As ``BlockStream``."""
        await self._blocks.drain()
