"""One stream, as a process holds it."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field

from ..stores.records import Cursor, End, Meta
from .copies import Copy, NoCopy
from .facts import Facts
from .reader import ahead_of_log
from .tail import Tail
from .viewers import Viewers


@dataclass(slots=True, eq=False)
class Stream:
    """A stream that runs here, is followed here, or has ended within the retention time.

    Args:
        meta: The log's first record.
        tail: The log, as far as it is held here and may be read.
        intake: Where the pump writes: the tail, unless records are committed before they are read.
        viewers: Counts the viewers here.
        is_ours: Whether its pump is in this process.
        facts: What the pump has measured; empty for a stream that runs elsewhere.
        task: The pump, or the feed.
        copy: The copy of its log in the store.
        timer: Runs out when the stream is to be forgotten.
    """

    meta: Meta
    tail: Tail
    intake: Tail
    viewers: Viewers
    is_ours: bool = True
    facts: Facts = field(default_factory=Facts)
    task: asyncio.Task[None] | None = None
    copy: Copy = field(default_factory=NoCopy)
    timer: asyncio.TimerHandle | None = None

    @property
    def end(self) -> End | None:
        """Its end, once it has one."""
        return self.tail.end or self.intake.end or self.tail.offered

    def stop_timer(self) -> None:
        """Cancel the timer, if one runs."""
        if self.timer is not None:
            self.timer.cancel()


def new_id() -> str:
    """Return an id that cannot be guessed: 128 random bits."""
    return f"st_{secrets.token_urlsafe(16)}"


def first_after(stream: Stream, cursor: Cursor | None) -> int:
    """Return the number of the first record of which ``cursor`` lacks something.

    0, the meta record, without a cursor.

    A cursor may be ahead of a log that another process has ended: its viewers received blocks that
    never reached the store. Only the end comes after them. No other cursor may be ahead.

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
