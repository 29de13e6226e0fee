"""A provider's blocks in another dialect than the stream's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from ..dialects.protocol import Dialect
from ..errors import UpstreamError
from ..events import Error, Finish
from .block_stream import BlockStream, Taker


class TranslatedBlocks:
    """A provider's blocks in another dialect, while they arrive.

    Args:
        wanted: The dialect of the result.
        given: The dialect of ``blocks``.
        blocks: The provider's.
    """

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

    async def follow(self, taker: Taker) -> None:
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

    def close(self) -> bytes:
        """As ``BlockStream``: nothing is left."""
        return b""

    async def drain(self) -> None:
        """As ``BlockStream``."""
        await self._blocks.drain()
