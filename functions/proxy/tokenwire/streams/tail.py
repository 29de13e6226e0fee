"""The in-process log of one stream: bounded, with one cursor per reader and no queues."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from ..dialects.protocol import as_exception
from ..events import Error
from ..hotpath import MAX_DIRECT, Serve
from ..stores.records import End, RecordId
from .blocks import Blocks, Bounds
from .offered_end import OfferedEnd
from .reader import Reader, ahead_of_log, trimmed


class Tail:
    """The records of one stream in one epoch. Written by one pump, read by many readers.

    ``end`` is the end record; ``broken`` why nothing more comes although there is none;
    ``withdrawn`` the id of an end that readers may have been shown before the store had another.

    Args:
        bounds: How much to hold.
        charge: Called with each change of the held size, in bytes; returns whether the
            process has room for it. Without room the past is dropped early.
        epoch: The writer's epoch.
        end_wait: Returns, when the writer ends the log, the seconds for which readers wait for
            the store to accept that end. The store may have another.
    """

    __slots__ = (
        "_ended_at",
        "_is_retired",
        "_offered",
        "_readers",
        "_writer",
        "blocks",
        "broken",
        "end",
        "epoch",
        "following",
        "waiting",
        "withdrawn",
    )

    def __init__(
        self,
        bounds: Bounds,
        *,
        charge: Callable[[int], bool] | None = None,
        epoch: int = 1,
        end_wait: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.epoch = epoch
        self.end: End | None = None
        self.broken: Error | None = None
        self.withdrawn: RecordId | None = None
        self.blocks = Blocks(bounds, charge or (lambda _: True))
        self.waiting: set[asyncio.Future[bool]] = set()
        self.following: dict[asyncio.Future[bool], Serve] = {}
        self._offered = OfferedEnd(end_wait, self.finish)
        self._ended_at: RecordId | None = None
        self._is_retired = False
        self._readers: set[Reader] = set()
        self._writer: asyncio.Future[None] | None = None

    @property
    def first(self) -> int:
        """The sequence number of the oldest block still held."""
        return self.blocks.first

    @property
    def next(self) -> int:
        """The sequence number that the next record gets; the end's, once there is one."""
        return self.blocks.next

    @property
    def last(self) -> RecordId:
        """The id of the newest record: the meta record's, a block's, or the end's."""
        return self._ended_at or RecordId(self.epoch, self.next - 1)

    @property
    def offered(self) -> End | None:
        """The writer's end, from when it is offered to the store."""
        return self._offered.end

    @property
    def over(self) -> bool:
        """Whether nothing more will come: there is an end, or what fills this log has failed."""
        return self.end is not None or self.broken is not None

    @property
    def closed(self) -> bool:
        """Whether no block will come any more; the end may still wait for the store."""
        # Not by way of ``over``: this is looked at for every block.
        return self.end is not None or self.broken is not None or self._offered.end is not None

    @property
    def readers(self) -> int:
        """How many readers are attached."""
        return len(self._readers)

    def begin_at(self, first: int) -> None:
        """Give the first block this number. Only where there is none yet."""
        self.blocks.first = first

    def append(self, blocks: Sequence[bytes], size: int | None = None) -> None:
        """Add blocks and wake the readers. Ignored once nothing more can come.

        Args:
            blocks: The next blocks.
            size: The number of their bytes, where that is known.

        Raises:
            ProxyError: The process has no room left (code ``overloaded``).
        """
        if self.end is None and not self.closed:
            self.blocks.add(blocks, sum(map(len, blocks)) if size is None else size, self._needed)
            if self.following:
                self._serve(None)
            if self.waiting:
                _wake(self.waiting)

    def append_one(self, block: bytes) -> bool:
        """As ``append``, for one block; return whether the readers are within the window.

        Raises:
            ProxyError: As ``append``.
        """
        if self.end is not None or self.broken is not None or self._offered.end is not None:
            return True
        self.blocks.add_one(block, self._needed)
        if self.following:
            self._serve(block)
        if self.waiting:
            _wake(self.waiting)
        # A stream that is not larger than the window needs no look at its readers.
        return self.blocks.written <= self.blocks.window or not self.exceeds_window

    def offer(self, end: End) -> None:
        """End the log, as its writer, if it has no end yet.

        Readers get the end at once; or, where the store may have another, when the store has
        accepted it, has another, or has not answered in time.
        """
        if self.closed:
            return
        if self._offered.hold(end):
            self._wake()
        else:
            self.finish(end)

    def finish(self, end: End, at: RecordId | None = None) -> bool:
        """Write the end record, if there is none yet; return whether this one counts.

        Args:
            end: The record.
            at: Its id, where the store has it. Such an end counts even if there is another, which
                is then ``withdrawn``: a client that returns with its id gets this one.
        """
        ended_at = at or RecordId(self.epoch, self.next)
        if self.end is not None and (at is None or at == self._ended_at):
            return False
        self.withdrawn = self._ended_at
        self.end = end
        self._ended_at = ended_at
        self._offered.settle()
        self._wake()
        return True

    def break_off(self, why: Error) -> None:
        """Stop here, although the stream may continue: the task that fills this log has failed.

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
        """Drop every block: this log cannot be read any more."""
        self.blocks.drop()

    @property
    def exceeds_window(self) -> bool:
        """Whether the slowest attached reader is further behind than the window."""
        blocks = self.blocks
        for reader in self._readers:  # not any(map()): this is looked at for every block
            if blocks.written - reader.consumed > blocks.window and not reader.stopped:
                return not self.closed
        return False

    async def room(self) -> None:
        """Wait until the slowest attached reader is within the window, or the stream is over."""
        while self.exceeds_window:
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer

    async def make_room(self, seconds: float, why: Error) -> None:
        """As ``room``, but a slow reader that takes nothing for ``seconds`` is stopped.

        For a log that is read from a store: there the rest of it is kept for that reader, so
        that it need not delay the others.
        """
        while self.exceeds_window:
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
        """Attach a reader whose next block is number ``first``, while the context lasts.

        Raises:
            ClientError: That block is no longer held (410, ``trimmed``), or is further ahead
                than the next one of a log that grows (400, ``invalid_cursor``).
            TokenwireError: This log holds nothing any more, because it has failed.
        """
        self._check_place(first)
        blocks = self.blocks
        reader = Reader(self, first, blocks.written - blocks.size_from(first))
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)
            self.moved()
            if self._is_retired:
                self.retire()

    def unattached_reader(self) -> Reader:
        """Return a reader of all there is, for which the pump does not wait: it may be ``behind``.

        It gets the writer's end as soon as that is offered, to take it to the store.
        """
        blocks = self.blocks
        return Reader(self, blocks.first, blocks.written - blocks.size, is_early=True)

    def dismiss(self, why: Error) -> None:
        """Stop every attached reader, with an error for its client; the stream continues."""
        for reader in self._readers:
            reader.stop(why)

    async def reach(self, number: int, seconds: float) -> bool:
        """Wait up to ``seconds`` for the block of this number, or for nothing more to come."""
        reader = self.unattached_reader()
        reader.position = number
        return await reader.wait(seconds)

    def moved(self) -> None:
        """Let the writer check anew whether there is room: a reader has moved or left."""
        if self._writer is not None and not self._writer.done():
            self._writer.set_result(None)

    def _check_place(self, first: int) -> None:
        if first < self.first:
            if self.broken is not None:
                raise as_exception(self.broken)
            raise trimmed()
        if first > self.next and not self.over:
            raise ahead_of_log()

    def _is_slow(self, reader: Reader) -> bool:
        return not reader.stopped and self.blocks.written - reader.consumed > self.blocks.window

    def _needed(self) -> int:
        """The number of the oldest block that an attached reader has not taken."""
        positions = (reader.position for reader in self._readers if not reader.stopped)
        return min(positions, default=self.next)

    def _serve(self, block: bytes | None) -> None:
        """Have readers that have everything take the new blocks here; wake the others."""
        for count, (pending, serve) in enumerate(tuple(self.following.items())):
            if not pending.done() and (count >= MAX_DIRECT or not serve(block)):
                pending.set_result(True)

    def _wake(self) -> None:
        _wake(self.waiting)
        _wake(self.following)
        if self.closed:
            self.moved()


def _wake(waiting: Iterable[asyncio.Future[bool]]) -> None:
    for future in waiting:
        if not future.done():
            future.set_result(True)
