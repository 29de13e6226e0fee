"""Write the batches of many streams with one command. No task of a stream wakes for that.

A stream that has a new block is only noted. Every few milliseconds the next batch of each noted
stream is taken, and these batches are written with as few commands as possible. The script appends
a batch only if the log is exactly as its producer expects, and returns for each batch whether it
was appended. If it was not, or if the response is not known, the stream leaves the group, and its
keeper writes the batch alone: so refusals and failures are handled in one place. This module is
imported on first use, as redis-py is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...clock import monotonic
from ..contract import Batch, BatchSource
from ..encoding import pack
from ..exceptions import StoreError
from .round_queue import RoundQueue

_WATCHED, _UNWATCHED = 0.005, 0.05
"""Seconds between the beginnings of two rounds: of streams that another process watches or may
watch; and of all others, for whose blocks no process waits."""
_ROUND_FACTOR = 4
"""A round of watched streams lasts at least this many times as long as the last command took, and
at most ``_UNWATCHED``: a busy server or process gets fewer commands, with more blocks in each."""
_PAUSE_AFTER_FAILURE = 1.0
"""Seconds for which no stream enters after a command has failed: the server may be unreachable, or
a proxy in front of it may refuse the keys of several streams in one command."""
MOST_STREAMS = 64
"""Streams of one command. The server does nothing else while it runs a command."""
MOST_BYTES = 256 * 1024
"""Bytes after which a command takes no further batch: it must be complete within the time-out. The
last batch may exceed it."""
MOST_COMMANDS = 4
"""Commands under way at once. Streams that are noted meanwhile wait."""
_WRITTEN, _WRITTEN_AND_WATCHED = ord("1"), ord("2")
"""Outcomes of ``APPEND_ALL``: the byte in its response for a stream."""

Append = Callable[[Sequence[str], Sequence[Any]], Awaitable[Any]]


@dataclass(slots=True, eq=False)
class Member:
    """A stream that the group writes.

    Args:
        keys: The keys of its log.
        token: The producer's token.
        last: The id of the log's last record.
        source: The stream's batches.
        is_noted: Whether it waits for a round, or for the outcome of ``batch``.
        is_watched: Whether another process may wait for its blocks.
        has_left: Whether its keeper has left the group. The stream may have entered again, as
            another member.
        batch: The batch of the command under way.
        settled: Done with the outcome of ``batch``, if the keeper leaves before.
    """

    keys: tuple[str, str]
    token: str
    last: str
    source: BatchSource
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
        self._watched = RoundQueue(self._interval, self._begin)
        self._unwatched = RoundQueue(lambda: _UNWATCHED, self._begin)
        self._commands: set[asyncio.Task[bytes]] = set()
        self._closed_until = self._last_duration = 0.0

    @property
    def is_open(self) -> bool:
        """Whether streams may enter."""
        return monotonic() >= self._closed_until

    async def append_from(self, member: Member) -> None:
        """As ``contract.Writer.append_from``. Each call has a member of its own."""

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
        """Stop: all streams leave that are noted; the outcomes of commands stay unknown."""
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
        return min(_UNWATCHED, max(_WATCHED, _ROUND_FACTOR * self._last_duration))

    def _begin(self, noted: deque[Member], most: int) -> int:
        """Take some of the noted members, and begin a command with their batches.

        Returns how many were taken; 0 if too many commands are under way.
        """
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
        request = self._append_all(names, args)
        command = asyncio.get_running_loop().create_task(request, name="redis append")
        self._commands.add(command)
        # Not done by the task itself: if it is cancelled before its first step, it runs nothing.
        command.add_done_callback(partial(self._ended, members))

    async def _append_all(self, names: list[str], args: list[str | bytes]) -> bytes:
        """Run a command; return its response, empty if it has failed."""
        began = monotonic()
        try:
            found: bytes = await self._append(names, args)
        except StoreError:
            self._closed_until = monotonic() + _PAUSE_AFTER_FAILURE
            return b""
        finally:
            self._last_duration = monotonic() - began
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
