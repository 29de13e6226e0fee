"""Batches of many streams in one command, for which no task of a stream wakes.

A stream that has a new block is only noted. Every few milliseconds the batches of all streams that
are noted are taken, and written with as few commands as possible. The script appends a batch
only where the log is exactly as its producer expects, and says of each whether it did. Where it did
not, or its answer is not known, the stream leaves the group, and its keeper writes the batch alone:
refusals and failures are handled in one place. Imported with redis-py, late.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...clock import monotonic
from ..contract import Batch, Source
from ..encoding import pack
from ..exceptions import StoreError
from .lane import Lane

_WATCHED, _UNWATCHED = 0.005, 0.05
"""Seconds between two rounds: of streams that another process watches, or may; and of all others,
which nobody waits for."""
_REST = 4
"""How many times as long as the last command took a round lasts, up to ``_UNWATCHED``: a server or
a process that is busy gets fewer commands, and more blocks with each."""
_CLOSED = 1.0
"""Seconds for which no stream enters after a command has failed: the server may be away, or a proxy
before it may refuse the keys of several streams."""
MOST_STREAMS = 64
"""Streams of one command. The server does nothing else meanwhile."""
MOST_BYTES = 256 * 1024
"""Bytes of one command, about: it must be complete within the time-out. One batch may be larger."""
MOST_COMMANDS = 4
"""Commands under way at once. Streams that are noted while all are under way wait."""
_WRITTEN, _WRITTEN_AND_WATCHED = b"12"
"""Outcomes of ``APPEND_ALL``."""

Append = Callable[[Sequence[str], Sequence[Any]], Awaitable[Any]]


@dataclass(slots=True, eq=False)
class Member:
    """A stream that is written by the group.

    ``is_noted`` is whether it waits for a round or for the outcome of ``batch``; ``settled`` is
    waited for by its keeper, if that leaves meanwhile; ``is_watched`` is whether a process may
    wait for its blocks; ``has_left`` is whether its keeper has left: the same stream may have
    entered again, as another member.

    Args:
        keys: Those of its log.
        token: The producer's.
        last: The id of the last record that the log has.
        source: The stream.
    """

    keys: tuple[str, str]
    token: str
    last: str
    source: Source
    is_noted: bool = False
    is_watched: bool = True
    has_left: bool = False
    batch: Batch | None = None
    settled: asyncio.Future[None] | None = None


class GroupWriter:
    """Writes the batches of many streams.

    Args:
        append: Runs ``APPEND_ALL`` with keys and arguments.
    """

    def __init__(self, append: Append) -> None:
        self._append = append
        self._watched = Lane(self._interval, self._begin)
        self._unwatched = Lane(lambda: _UNWATCHED, self._begin)
        self._commands: set[asyncio.Task[bytes]] = set()
        self._closed_until = self._took = 0.0

    @property
    def is_open(self) -> bool:
        """Whether streams may enter."""
        return monotonic() >= self._closed_until

    async def follow(self, member: Member) -> None:
        """As ``contract.Writer.follow``. Each member is for one call."""

        def due(_: object) -> bool:
            if not member.is_noted:
                self._note(member)
            return True

        try:
            await member.source.follow(due)
        finally:
            member.has_left = True
            if member.batch is not None:
                member.settled = asyncio.get_running_loop().create_future()
                await member.settled

    async def aclose(self) -> None:
        """Stop: streams that are noted leave, those under way without a known outcome."""
        self._watched.close()
        self._unwatched.close()
        commands = list(self._commands)
        for command in commands:
            command.cancel()
        await asyncio.gather(*commands, return_exceptions=True)
        for member in (*self._watched.waiting, *self._unwatched.waiting):
            member.source.stop()

    def _note(self, member: Member) -> None:
        member.is_noted = True
        (self._watched if member.is_watched else self._unwatched).add(member)

    def _interval(self) -> float:
        return min(_UNWATCHED, max(_WATCHED, _REST * self._took))

    def _begin(self, noted: deque[Member], most: int) -> int:
        """Begin one command with some of what is noted, if that may be; return of how many."""
        if len(self._commands) >= MOST_COMMANDS:
            return 0
        members: list[Member] = []
        names: list[str] = []
        args: list[str | bytes] = []
        size = taken_from = 0
        while taken_from < most and len(members) < MOST_STREAMS and size < MOST_BYTES:
            member = noted.popleft()
            taken_from += 1
            taken = None if member.has_left else member.source.take()
            if taken is None:
                member.is_noted = False
                continue
            batch, floor = taken
            packed = pack(batch)
            member.batch = batch
            members.append(member)
            names += member.keys
            args += (_last_of(batch), member.last, member.token, packed, first_kept(batch, floor))
            size += len(packed)
        if members:
            self._run(members, names, args)
        return taken_from

    def _run(self, members: list[Member], names: list[str], args: list[str | bytes]) -> None:
        append = self._outcomes(names, args)
        command = asyncio.get_running_loop().create_task(append, name="redis append")
        self._commands.add(command)
        # Not in the task: one that is cancelled before its first step runs nothing.
        command.add_done_callback(partial(self._ended, members))

    async def _outcomes(self, names: list[str], args: list[str | bytes]) -> bytes:
        """Run a command; return its response, or nothing if it has failed."""
        began = monotonic()
        try:
            found: bytes = await self._append(names, args)
        except StoreError:
            self._closed_until = monotonic() + _CLOSED
            return b""
        finally:
            self._took = monotonic() - began
        return found

    def _ended(self, members: list[Member], command: asyncio.Task[bytes]) -> None:
        self._commands.discard(command)
        is_known = not command.cancelled() and command.exception() is None
        outcomes = command.result() if is_known else b""
        if len(outcomes) != len(members):
            outcomes = b"0" * len(members)
        for member, outcome in zip(members, outcomes, strict=True):
            member.is_watched = outcome == _WRITTEN_AND_WATCHED
            self._settle(member, is_written=member.is_watched or outcome == _WRITTEN)
        self._watched.resume()
        self._unwatched.resume()

    def _settle(self, member: Member, *, is_written: bool) -> None:
        batch, member.batch = member.batch, None
        member.is_noted = False
        if batch is None or not is_written:
            member.source.stop()
        else:
            member.last = _last_of(batch)
            if member.source.took(batch) and not member.has_left:
                self._note(member)
        if member.settled is not None and not member.settled.done():
            member.settled.set_result(None)


def _last_of(batch: Batch) -> str:
    return f"{batch.epoch}-{batch.next - 1}"


def first_kept(batch: Batch, floor: int) -> str:
    """Return the id of the first record that is kept; empty to keep all."""
    return f"{batch.epoch}-{floor}" if floor > 1 else ""
