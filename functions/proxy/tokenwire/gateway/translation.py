"""The blocks of a stream, in another dialect than its own."""

from __future__ import annotations

from collections.abc import Iterable

from ..dialects import DIALECTS
from ..dialects.protocol import Encoder
from ..streams.stream import Stream


def translated(stream: Stream, blocks: Iterable[bytes], encoder: Encoder) -> list[bytes]:
    """The stream's blocks as this encoder says them, without an end.

    Raises:
        UpstreamError: A block cannot be read (``upstream_malformed``).
    """
    meta = stream.meta
    decoder = DIALECTS[meta.dialect].decoder()
    said = encoder.encode(meta.start)
    for block in blocks:
        for event in decoder.decode(block):
            said += encoder.encode(event)
    return said
