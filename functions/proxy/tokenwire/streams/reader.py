"""A reader: one place in a tail."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..errors import ClientError
from ..events import Error
from ..hotpath import Serve
from ..stores.records import End, RecordId
from .blocks import BLOCK_OVERHEAD

if TYPE_CHECKING:
    from .tail import Tail

_WAKE_AFTER = 3600.0
"""Seconds after which a wait without a limit is begun again."""


class Reader:
    """One place in a tail. Made by ``Tail.attach`` and ``Tail.unattached_reader``.

    ``position`` is the number of the next block, ``consumed`` the bytes of all blocks before it,
    ``stopped`` is whether ``stop`` was called, ``blocks`` what the tail holds.
    """

    __slots__ = (
        "_is_early",
        "_pending",
        "_tail",
        "_why",
        "blocks",
        "consumed",
        "position",
        "stopped",
    )

    def __init__(self, tail: Tail, position: int, consumed: int, *, is_early: bool = False) -> None:
        self._tail = tail
        self.blocks = tail.blocks
        self._is_early = is_early
        self.stopped = False
        self._why: Error | None = None
        self._pending: asyncio.Future[bool] | None = None
        self.position = position
        self.consumed = consumed

    def take(self, limit: int = 64 * 1024) -> list[bytes]:
        """Return the next blocks, up to about ``limit`` bytes, but at least one if there is any."""
        blocks = self.blocks
        held = blocks.held
        start = self.position - blocks.first
        left = blocks.written - self.consumed
        if left <= limit:
            taken, size = held[start:], left
        else:
            taken, size = self._some(held, start, limit, left)
        self.position += len(taken)
        self.consumed += size
        self._tail.moved()
        return taken

    def _some(
        self, held: list[bytes], start: int, limit: int, left: int
    ) -> tuple[list[bytes], int]:
        """Return the fewest blocks that have ``limit`` bytes, and their bytes."""
        # First as many as there would be if all had the same size.
        stop = start + (len(held) - start) * limit // left
        size = sum(map(len, held[start:stop])) + BLOCK_OVERHEAD * (stop - start)
        while stop < len(held) and size < limit:
            size += len(held[stop]) + BLOCK_OVERHEAD
            stop += 1
        while stop > start and (less := size - len(held[stop - 1]) - BLOCK_OVERHEAD) >= limit:
            size = less
            stop -= 1
        return held[start:stop], size

    @property
    def epoch(self) -> int:
        """The epoch of the blocks it takes."""
        return self._tail.epoch

    @property
    def behind(self) -> bool:
        """Whether blocks that it has not taken are no longer held. Not for attached readers."""
        return self.position < self.blocks.first

    @property
    def has_more(self) -> bool:
        """Whether there are blocks that it has not taken."""
        blocks = self.blocks
        return self.position < blocks.first + len(blocks.held)

    @property
    def ended(self) -> tuple[RecordId, End] | None:
        """The end record and its id, once every block before it has been taken."""
        tail = self._tail
        end = tail.end or (tail.offered if self._is_early else None)
        if end is None or self.position < tail.next:
            return None
        return tail.last, end

    @property
    def interruption(self) -> Error | None:
        """Why this reader gets no more, though the stream has no end: the error for its client."""
        tail = self._tail
        if self.stopped:
            return self._why
        return tail.broken if self.position >= tail.next else None

    def stop(self, why: Error | None = None) -> None:
        """Stop the reader: its client has disconnected, or is disconnected because of ``why``."""
        self.stopped = True
        self._why = why
        self.wake()

    def wake(self) -> None:
        """End the wait that is under way, if there is one."""
        if self._pending is not None and not self._pending.done():
            self._pending.set_result(True)

    async def follow(self, serve: Serve) -> None:
        """Have ``serve`` called by each append, inside it, until it returns False.

        Returns then, or once something else than a block is due, or when woken. Not for a reader
        that has blocks to take.
        """
        if self.is_due:
            return
        pending: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._pending = pending
        self._tail.following[pending] = serve
        try:
            await pending
        finally:
            self._tail.following.pop(pending, None)

    async def listen(self, note: Serve) -> None:
        """Have ``note`` called by each append, before viewers are served, until woken.

        Returns also once no block will come any more. ``note`` costs little and returns True. There
        may be blocks to take.
        """
        tail = self._tail
        if self.stopped or tail.closed:
            return
        pending: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._pending = pending
        # The first place: what comes after ``MAX_DIRECT`` of them is woken instead.
        tail.following = {pending: note, **tail.following}
        try:
            await pending
        finally:
            tail.following.pop(pending, None)

    async def wait(self, seconds: float) -> bool:
        """Wait for a record after this place; return False if none came in ``seconds``."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not self.is_due:
            if not await self._woken(until - loop.time()):
                return self.is_due
        return True

    async def over(self) -> None:
        """Wait for the end of the stream, or for nothing more to come."""
        while not self._tail.over:
            await self._woken(_WAKE_AFTER)

    async def gather(self, count: int, seconds: float) -> None:
        """Wait for ``count`` blocks after this place, for the end, or for ``seconds``."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        tail = self._tail
        while tail.next < self.position + count and not tail.closed and loop.time() < until:
            await self._woken(until - loop.time())

    @property
    def is_due(self) -> bool:
        """Whether there is something to read, or nothing more to wait for."""
        tail = self._tail
        is_over = tail.closed if self._is_early else tail.over
        return self.stopped or self.position < self.blocks.next or is_over

    async def _woken(self, seconds: float) -> bool:
        tail = self._tail
        loop = asyncio.get_running_loop()
        pending: asyncio.Future[bool] = loop.create_future()
        self._pending = pending
        timer = loop.call_later(seconds, _lapse, pending)
        tail.waiting.add(pending)
        try:
            return await pending
        finally:
            timer.cancel()
            tail.waiting.discard(pending)


def ahead_of_log(param: str = "last_event_id") -> ClientError:
    """Return the error for a cursor of a record that has not been written."""
    return ClientError(
        "The cursor does not belong to this stream.", code="invalid_cursor", param=param
    )


def trimmed() -> ClientError:
    """Return the error for a cursor of a record that is no longer held."""
    return ClientError("The stream's earlier part is no longer held.", code="trimmed", status=410)


def _lapse(future: asyncio.Future[bool]) -> None:
    if not future.done():
        future.set_result(False)
