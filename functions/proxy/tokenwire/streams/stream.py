"""One stream, as a process holds it."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field

from ..stores.records import Cursor, End, Facts, Meta
from .audience import Audience
from .keeper import Keeper
from .tail import Tail, ahead_of_log


@dataclass(slots=True, eq=False)
class Stream:
    """A stream that runs here, or that is read here, or that has ended not long ago.

    Args:
        meta: What it is.
        tail: Its log, as far as it is held here, and may be read.
        intake: Where the pump writes: the same, unless records are committed before they are read.
        audience: Its viewers here.
        is_ours: Whether its pump is in this process.
        facts: What the pump saw; of a stream that runs elsewhere, nothing.
        task: The pump, or the feed.
        keeper: Copies the log into the store, where there is one.
        keeping: The keeper's task.
        timer: When to forget it.
    """

    meta: Meta
    tail: Tail
    intake: Tail
    audience: Audience
    is_ours: bool = True
    facts: Facts = field(default_factory=Facts)
    task: asyncio.Task[None] | None = None
    keeper: Keeper | None = None
    keeping: asyncio.Task[None] | None = None
    timer: asyncio.TimerHandle | None = None

    @property
    def end(self) -> End | None:
        """Its end, once it has one."""
        return self.tail.end or self.intake.end or self.tail.offered

    @property
    def kept(self) -> bool | None:
        """Whether the store has all that it should have by now; None where there is no store."""
        return None if self.keeper is None else not self.keeper.degraded


def new_id() -> str:
    """An id that cannot be guessed: 128 random bits."""
    return f"st_{secrets.token_urlsafe(16)}"


def first_after(stream: Stream, cursor: Cursor | None) -> int:
    """The number of the first record of which ``cursor`` lacks something.

    0, the meta record, without a cursor.

    A cursor may be ahead of a log that another process has ended: its viewers saw blocks that
    never reached the store. Nothing but the end comes after them. No other cursor may be ahead.

    Raises:
        ClientError: The cursor is of another stream or epoch, or of a record that has not been
            written (400, ``invalid_cursor``).
    """
    if cursor is None:
        return 0
    tail, last = stream.tail, cursor.last
    foreign = cursor.stream not in (None, stream.meta.id)
    is_end = tail.end is not None and last in (tail.last, tail.withdrawn)
    was_ended_elsewhere = tail.end is not None and tail.last.epoch != tail.epoch
    is_ahead = last.seq >= tail.next and (stream.is_ours or not was_ended_elsewhere)
    if foreign or not (is_end or (last.epoch == tail.epoch and not is_ahead)):
        raise ahead_of_log()
    if is_end:
        return tail.next
    return last.seq if cursor.part else last.seq + 1
