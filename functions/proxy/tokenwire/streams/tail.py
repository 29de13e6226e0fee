"""The in-process log of one stream: bounded, with one cursor per reader and no queues."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..dialects.protocol import as_exception
from ..errors import ClientError, ProxyError
from ..events import Error
from ..stores.records import End, RecordId

BLOCK_OVERHEAD = 64
"""Bytes that CPython spends on a block beside its content: the object and its list slot."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one stream may hold, in bytes.

    ``window`` is how far the pump may run ahead of the slowest attached reader;
    ``retained`` how much of the past is kept for those who come back.
    """

    window: int = 1024 * 1024
    retained: int = 8 * 1024 * 1024


class Tail:
    """The records of one stream in one epoch. Written by one pump, read by many readers.

    Args:
        bounds: How much to hold.
        charge: Called with each change of the held size, in bytes; answers whether the
            process has room for it. Without room the past is dropped early.
        epoch: The writer's epoch.
        patience: Asked when the writer ends the log: seconds for which its readers wait for the
            store to accept that end. The store may have another.
    """

    def __init__(
        self,
        bounds: Bounds,
        *,
        charge: Callable[[int], bool] | None = None,
        epoch: int = 1,
        patience: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.epoch = epoch
        self.end: End | None = None
        self.broken: Error | None = None
        self.offered: End | None = None
        self.withdrawn: RecordId | None = None
        self._patience = patience
        self._timer: asyncio.TimerHandle | None = None
        self._is_retired = False
        self._ended_at: RecordId | None = None
        self.size = 0
        self._bounds = bounds
        self._charge = charge or (lambda _: True)
        self._blocks: list[bytes] = []
        self._first = 1
        self._written = 0
        self._readers: set[Reader] = set()
        self._waiting: set[asyncio.Future[bool]] = set()
        self._writer: asyncio.Future[None] | None = None

    @property
    def first(self) -> int:
        """The sequence number of the oldest block still held."""
        return self._first

    @property
    def next(self) -> int:
        """The sequence number that the next record gets; the end's, once there is one."""
        return self._first + len(self._blocks)

    @property
    def last(self) -> RecordId:
        """The id of the newest record: the meta record's, a block's, or the end's."""
        return self._ended_at or RecordId(self.epoch, self.next - 1)

    @property
    def over(self) -> bool:
        """Whether nothing more will come: there is an end, or what fills this log has failed."""
        return self.end is not None or self.broken is not None

    @property
    def closed(self) -> bool:
        """Whether no block will come any more; the end, perhaps, waits for the store."""
        return self.over or self.offered is not None

    @property
    def readers(self) -> int:
        """How many readers are attached."""
        return len(self._readers)

    def begin_at(self, first: int) -> None:
        """The first block will have this number. Only where there is none yet."""
        self._first = first

    def append(self, blocks: list[bytes]) -> None:
        """Add blocks and wake the readers. Ignored once nothing more can come.

        Raises:
            ProxyError: The process has no room left (code ``overloaded``).
        """
        if self.closed:
            return
        size = sum(map(len, blocks)) + BLOCK_OVERHEAD * len(blocks)
        self._blocks += blocks
        self._written += size
        self.size += size
        fits = self._charge(size)
        if self.size > self._bounds.retained or not fits:
            self._trim(self._bounds.retained * 7 // 8 if fits else self._bounds.window)
            if not fits and not self._charge(0):
                raise ProxyError(
                    "The server is out of memory for streams.",
                    code="overloaded",
                    status=503,
                    retryable=True,
                )
        self._wake()

    def offer(self, end: End) -> None:
        """End the log, as its writer, if it has no end yet.

        Readers are told at once, or where a store has the last word, when it has accepted this
        end (or has another), or has not answered for as long as ``patience`` says.
        """
        if self.closed:
            return
        seconds = self._patience()
        if not seconds:
            self.finish(end)
            return
        self.offered = end
        self._settle_in(seconds, again=True)
        self._wake()

    def finish(self, end: End, at: RecordId | None = None) -> bool:
        """Write the end record, if there is none yet; whether this one won.

        Args:
            end: The record.
            at: Its id, where the store has it. Such an end counts even if there is another, which
                is then ``withdrawn``: whoever comes back with its id is told this one.
        """
        ended_at = at or RecordId(self.epoch, self.next)
        if self.end is not None and (at is None or at == self._ended_at):
            return False
        self.withdrawn = self._ended_at
        self.end = end
        self._ended_at = ended_at
        if self._timer is not None:
            self._timer.cancel()
        self._wake()
        return True

    def break_off(self, why: Error) -> None:
        """Nothing more comes here, though the stream may go on: what fills this log has failed.

        Readers get the blocks that are held, then ``why``. It is no record and has no id.
        """
        if not self.over:
            self.broken = why
            self._wake()

    def retire(self) -> None:
        """Drop every block as soon as the last reader has left."""
        self._is_retired = True
        if not self._readers:
            self.drop()

    def drop(self) -> None:
        """Let go of every block: nobody can read this log any more."""
        self._charge(-self.size)
        self.size = 0
        self._first += len(self._blocks)
        self._blocks.clear()

    @property
    def crowded(self) -> bool:
        """Whether the slowest attached reader is further behind than the window."""
        return not self.closed and any(map(self._is_slow, self._readers))

    async def room(self) -> None:
        """Wait until the slowest attached reader is within the window, or the stream is over."""
        while self.crowded:
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer

    async def make_room(self, seconds: float, why: Error) -> None:
        """As ``room``, but a slow reader that takes nothing for ``seconds`` is stopped.

        For a log that is read from a store: there the rest of it is kept for that reader, so
        that it need not hold up the others.
        """
        while self.crowded:
            before = {reader: reader.consumed for reader in self._readers}
            try:
                async with asyncio.timeout(seconds):
                    await self.room()
            except TimeoutError:
                for reader in self._readers:
                    if self._is_slow(reader) and before.get(reader) == reader.consumed:
                        reader.stop(why)

    @contextmanager
    def attach(self, first: int) -> Iterator[Reader]:
        """A reader whose next block is number ``first``, for as long as the context lasts.

        Raises:
            ClientError: That block is no longer held (410, ``trimmed``), or is further ahead
                than the next one of a log that grows (400, ``invalid_cursor``).
            TokenwireError: This log holds nothing any more, because it has failed.
        """
        self._check_place(first)
        reader = Reader(self, first, self._written - self._held_from(first))
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)
            self._moved()
            if self._is_retired:
                self.retire()

    def cursor(self) -> Reader:
        """A reader of all there is that nobody waits for: it may fall ``behind``.

        It has the writer's end as soon as that is offered: it is what takes it to the store.
        """
        return Reader(self, self._first, self._written - self.size, is_early=True)

    def dismiss(self, why: Error) -> None:
        """Stop every attached reader, with an error for its client; the log goes on."""
        for reader in self._readers:
            reader.stop(why)

    async def reach(self, number: int, seconds: float) -> bool:
        """Wait for the block of this number, or for nothing more to come; for so long at most."""
        reader = self.cursor()
        reader.position = number
        return await reader.wait(seconds)

    def _check_place(self, first: int) -> None:
        if first < self._first:
            if self.broken is not None:
                raise as_exception(self.broken)
            raise ClientError(
                "The stream's earlier part is no longer held.", code="trimmed", status=410
            )
        if first > self.next and not self.over:
            raise ahead_of_log()

    def _settle_in(self, seconds: float, *, again: bool) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, self._settle, loop.time() + 2 * seconds, again)

    def _settle(self, late: float, again: bool) -> None:
        if again and asyncio.get_running_loop().time() > late:
            # The process was frozen: the store's answer may be there, but not read yet.
            self._settle_in(self._patience(), again=False)
        elif self.offered is not None:
            self.finish(self.offered)

    def _is_slow(self, reader: Reader) -> bool:
        return not reader.stopped and self._written - reader.consumed > self._bounds.window

    def _held_from(self, first: int) -> int:
        blocks = self._blocks[first - self._first :]
        return sum(map(len, blocks)) + BLOCK_OVERHEAD * len(blocks)

    def _trim(self, target: int) -> None:
        """Drop the oldest blocks down to ``target`` bytes, but none that a reader still needs."""
        needed = (reader.position for reader in self._readers if not reader.stopped)
        spare = min(needed, default=self.next) - self._first
        count = freed = 0
        while count < spare and self.size - freed > target:
            freed += len(self._blocks[count]) + BLOCK_OVERHEAD
            count += 1
        del self._blocks[:count]
        self._first += count
        self.size -= freed
        self._charge(-freed)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for future in waiting:
            if not future.done():
                future.set_result(True)
        if self.closed:
            self._moved()

    def _moved(self) -> None:
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)


class Reader:
    """One place in a tail. Made by ``Tail.attach``."""

    def __init__(self, tail: Tail, position: int, consumed: int, *, is_early: bool = False) -> None:
        self._tail = tail
        self._is_early = is_early
        self._stopped = False
        self._why: Error | None = None
        self._pending: asyncio.Future[bool] | None = None
        self.position = position
        self.consumed = consumed

    def take(self, limit: int = 64 * 1024) -> list[bytes]:
        """The next blocks, up to about ``limit`` bytes (but at least one block, if any)."""
        tail = self._tail
        held = tail._blocks
        start = stop = self.position - tail._first
        size = 0
        while stop < len(held) and size < limit:
            size += len(held[stop]) + BLOCK_OVERHEAD
            stop += 1
        self.position += stop - start
        self.consumed += size
        tail._moved()
        return held[start:stop]

    @property
    def epoch(self) -> int:
        """The epoch of the blocks it takes."""
        return self._tail.epoch

    @property
    def behind(self) -> bool:
        """Whether blocks that it has not taken are no longer held. Not for attached readers."""
        return self.position < self._tail.first

    @property
    def has_more(self) -> bool:
        """Whether there are blocks that it has not taken."""
        return self.position < self._tail.next

    @property
    def ended(self) -> tuple[RecordId, End] | None:
        """The end record and its id, once every block before it has been taken."""
        tail = self._tail
        end = tail.end or (tail.offered if self._is_early else None)
        if end is None or self.position < tail.next:
            return None
        return tail.last, end

    @property
    def stopped(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopped

    @property
    def interruption(self) -> Error | None:
        """Why this reader gets no more, though the stream has no end: what its client is told."""
        tail = self._tail
        if self._stopped:
            return self._why
        return tail.broken if self.position >= tail.next else None

    def stop(self, why: Error | None = None) -> None:
        """Wake the reader for good: its client is gone, or has to leave because of ``why``."""
        self._stopped = True
        self._why = why
        if self._pending is not None and not self._pending.done():
            self._pending.set_result(True)

    async def wait(self, seconds: float) -> bool:
        """Wait for a record after this place; False when none came in ``seconds``."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while not self._is_due:
            if not await self._woken(until - loop.time()):
                return self._is_due
        return True

    async def over(self) -> None:
        """Wait for the end of the stream, or for nothing more to come."""
        while not self._tail.over:
            await self._woken(3600.0)

    async def gather(self, count: int, seconds: float) -> None:
        """Wait for so many blocks after this place, for the end, or for ``seconds``."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        tail = self._tail
        while tail.next < self.position + count and not tail.closed and loop.time() < until:
            await self._woken(until - loop.time())

    @property
    def _is_due(self) -> bool:
        tail = self._tail
        is_over = tail.closed if self._is_early else tail.over
        return self._stopped or self.position < tail.next or is_over

    async def _woken(self, seconds: float) -> bool:
        tail = self._tail
        loop = asyncio.get_running_loop()
        pending: asyncio.Future[bool] = loop.create_future()
        self._pending = pending
        timer = loop.call_later(seconds, _lapse, pending)
        tail._waiting.add(pending)
        try:
            return await pending
        finally:
            timer.cancel()
            tail._waiting.discard(pending)


def ahead_of_log(param: str = "last_event_id") -> ClientError:
    """The error for a cursor of a record that has not been written."""
    return ClientError(
        "The cursor does not belong to this stream.", code="invalid_cursor", param=param
    )


def _lapse(future: asyncio.Future[bool]) -> None:
    if not future.done():
        future.set_result(False)
