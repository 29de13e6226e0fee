"""The blocks of a framer, one by one, and those of a body."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from tokenwire.sse import MAX_BLOCK
from tokenwire.streams.block_stream import BlockStream
from tokenwire.streams.framing import Body, BodyBlocks, Framer


def fed(framer: Framer, data: bytes) -> Iterator[bytes]:
    """The blocks that these bytes complete; raises as ``Framer.parts``."""
    for blocks in framer.parts(data):
        yield from blocks


def framed(
    open_body: Callable[[], AbstractAsyncContextManager[Body]], max_block: int = MAX_BLOCK
) -> Callable[[], AbstractAsyncContextManager[BlockStream]]:
    """Return a function that opens blocks, from one that opens a body."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[BlockStream]:
        async with open_body() as body:
            yield BodyBlocks(body, max_block)

    return opened
