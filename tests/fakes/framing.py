"""The blocks of a framer, one by one."""

from __future__ import annotations

from collections.abc import Iterator

from tokenwire.streams.framing import Framer


def fed(framer: Framer, data: bytes) -> Iterator[bytes]:
    """The blocks that these bytes complete; raises as ``Framer.parts``."""
    for blocks in framer.parts(data):
        yield from blocks
