"""The hub: the streams that this process runs, holds or follows."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from time import perf_counter
from typing import Literal

from ..events import Error
from ..stores.contract import Writer
from ..stores.exceptions import Fenced, Missing, Taken
from ..stores.memory import MemoryStore
from ..stores.records import Cursor, End, EndReason, Meta
from .admission import Running
from .ending import CONNECTION_EXPIRED, GOING_AWAY, end_stream
from .facts import Attempt
from .ids import check_id, not_found
from .leases import ViewerLeases
from .limits import Durability, Limits
from .owned_names import OwnedNames
from .persistence import persistence
from .policy import OnDisconnect
from .pump import CANCELLED, Pump, Source
from .reader import Reader
from .retention import Retention
from .stream import Stream
from .tails import Tails

_AWAIT_STORE = 1.0
"""Seconds that a new stream waits to be in the store, so that its id can be used at once."""
_SETTLE = 3.0
"""Maximum wait, in seconds, for an end to be written to the store or read from it."""
_REACH = 2.0
"""Maximum wait, in seconds, for a record that the client has but the store does not yet."""
_REACHES = 5
"""Maximum number of such waits; waiting stops early if no new record arrived in one of them."""


class Hub:
    """Start, find, watch and end streams.

    ``names`` are the names of streams, ``leases`` those of viewers whose disconnects the server
    cannot detect.

    Args:
        limits: How many streams and bytes the process may hold.
        on_end: Called with each stream that ran here, once it is over.
        durability: The store, and how it is used. By default memory that is not shared.
    """

    def __init__(
        self,
        limits: Limits,
        on_end: Callable[[Stream], None] | None = None,
        durability: Durability | None = None,
    ) -> None:
        self._limits = limits
        self._on_end = on_end or (lambda _: None)
        self._running = Running(limits)
        self._ended = Retention(
            limits.bytes,
            limits.retention,
            self._forget,
            limits.owner_bytes,
            limits.unlimited,
        )
        self._tails = Tails(limits, self._ended.account)
        self._persistence = persistence(durability or Durability(MemoryStore()), self._tails)
        self.names = OwnedNames(self._persistence.names, self._persistence.health)
        self.leases = ViewerLeases(self._persistence, self._here, self.owner_of)

    @property
    def closing(self) -> bool:
        """Whether the server is shutting down."""
        return self._running.closing

    @property
    def open_streams(self) -> int:
        """The number of streams that run here and have not ended."""
        return len(self._running)

    @property
    def open_viewers(self) -> int:
        """The number of readers attached to any stream."""
        held = chain(self._running, self._ended, self._persistence.followed)
        return sum(stream.tail.readers for stream in held)

    @property
    def is_shared(self) -> bool:
        """Whether other processes can read, run and end the streams of this one."""
        return self._persistence.is_shared

    @property
    def store_status(self) -> Literal["ok", "degraded"] | None:
        """Whether the shared store works; None where no store is shared."""
        if not self.is_shared:
            return None
        return "degraded" if self._persistence.health.failing else "ok"

    def account(self, owner: str) -> Callable[[int], bool]:
        """Return a function that adds a number of bytes to a caller's memory use.

        The number may be negative. The function returns whether the use is within the limits.
        """
        return self._tails.account(owner)

    def admit(self, owner: str = "") -> None:
        """Check that another stream may start.

        Args:
            owner: The caller it would belong to.

        Raises:
            ProxyError: As ``start``.
        """
        self._running.check(owner, has_memory=self._ended.charge(0))

    async def start(
        self,
        meta: Meta,
        source: Source,
        policy: OnDisconnect,
        longest: float = math.inf,
        attempts: list[Attempt] | None = None,
        writer: Writer | None = None,
    ) -> Stream:
        """Open a log and start a pump that fills it.

        Args:
            meta: The log's first record.
            source: Where its blocks come from.
            policy: When to cancel it without viewers.
            longest: Maximum duration in seconds, if less than the limits allow.
            attempts: The list to which the source adds each provider that it calls.
            writer: Writes the log, if the log already exists in the store.

        Raises:
            ProxyError: ``overloaded``, 503 (process limit) or 429 (this caller's limit), or
                ``shutting_down``, 503. All retryable.
        """
        self.admit(meta.owner)
        stream = self._persistence.new_stream(meta, policy, writer)
        stream.facts.started = perf_counter()
        stream.facts.attempts = [] if attempts is None else attempts
        timeouts = self._limits.timeouts.within(longest)
        pump = Pump(source, stream.intake, stream.facts, timeouts)
        self._running.add(stream)
        await self._persistence.names.started(meta.id)
        stream.task = asyncio.create_task(pump.run(), name=meta.id)
        stream.task.add_done_callback(lambda _: self._retire(stream))
        stream.copy.start()
        if not (stream.copy.is_created or self._persistence.health.failing):
            await _within(_AWAIT_STORE, stream.copy.created())
        return stream

    async def reserve(self, meta: Meta) -> None:
        """Put a stream into the shared store that another process is to run.

        Raises:
            StoreError: The store fails, or none is shared.
        """
        await self._persistence.reserve(meta)

    async def adopt(self, stream_id: str) -> Writer | None:
        """Take over a reserved stream; None if it is over, unknown, or run by another process.

        Raises:
            StoreError: The store fails, or none is shared.
        """
        try:
            return await self._persistence.adopt(stream_id)
        except (Fenced, Missing, Taken):
            return None

    async def close_reserved(self, stream_id: str, end: End) -> None:
        """End a reserved stream that no process runs.

        Raises:
            StoreError: The store fails.
        """
        await self._persistence.close(stream_id, end)

    async def find(self, stream_id: str, owner: str | None) -> Stream:
        """Return the stream of that id.

        Args:
            stream_id: The stream.
            owner: The caller it must belong to; None for the holder of a ticket.

        Raises:
            ClientError: 404 ``stream_not_found``: unknown, no longer kept, or another caller's.
            StoreError: The stream is not here, and the store fails.
        """
        check_id(stream_id)
        stream = self._here(stream_id) or await self._persistence.find(stream_id)
        if stream is None or owner not in (None, stream.meta.owner):
            raise not_found()
        return stream

    async def owner_of(self, stream_id: str) -> str:
        """Return the owner of a stream, without following it.

        Raises:
            ClientError: As ``find``.
            StoreError: As ``find``.
        """
        check_id(stream_id)
        found = self._here(stream_id)
        owner = found.meta.owner if found else await self._persistence.owner_of(stream_id)
        if owner is None:
            raise not_found()
        return owner

    async def reach(self, stream: Stream, cursor: Cursor | None) -> None:
        """Wait for a stream of another process to reach the cursor.

        A client may have received records that are not in the store yet. If the cursor is still
        ahead afterwards, ``first_after`` refuses it.
        """
        if cursor is None or stream.is_ours:
            return
        tail, seq = stream.tail, cursor.last.seq
        for _ in range(_REACHES):
            before = tail.next
            if await tail.reach(seq, _REACH) or tail.next == before:
                return

    @contextmanager
    def watch(
        self, stream: Stream, first: int, *, counts_connection: bool = True
    ) -> Iterator[Reader]:
        """Attach a reader; when the last one that counts leaves, the stream's policy is applied.

        Args:
            stream: What is read.
            first: The number of the first block to be read.
            counts_connection: Whether the client counts as a viewer while it is connected. One that
                holds a lease is counted by that lease instead.

        Raises:
            ClientError: As ``Tail.attach``.
        """
        with stream.tail.attach(first) as reader:
            counts = counts_connection and stream.end is None
            if counts:
                stream.viewers.attached()
            try:
                yield reader
            finally:
                if counts:
                    stream.viewers.detached()

    async def cancel(self, stream: Stream, why: Error = CANCELLED) -> End:
        """Cancel the stream in whatever process runs it, and close the provider connection.

        Waits up to 3 s for its end.

        Returns:
            The stream's final end record.

        Raises:
            StoreError: Another process runs the stream, and the store fails.
        """
        end = End(EndReason.CANCELLED, why)
        if stream.is_ours:
            end_stream(stream, end)
        elif stream.end is None:
            end = await self._persistence.close(stream.meta.id, end)
        # Its last blocks and its end may not have been read from the store yet.
        await _within(_SETTLE, stream.tail.unattached_reader().over())
        return stream.end or end

    async def settled(self, stream: Stream) -> None:
        """Wait for the store to have the end of a stream that is over, if it ran here."""
        if stream.end is not None:
            await _within(_SETTLE, stream.copy.settled())

    async def aclose(self) -> None:
        """Refuse new streams, end the running ones, and disconnect every viewer."""
        self._running.closing = True
        running = list(self._running)
        for stream in running:
            end_stream(stream, End(EndReason.CANCELLED, GOING_AWAY))
        tasks = [stream.task for stream in running if stream.task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(self.settled(stream) for stream in running))
        for stream in self._persistence.followed:
            stream.tail.dismiss(CONNECTION_EXPIRED)
        await self._persistence.aclose()
        for stream in [*running, *self._ended]:
            stream.copy.stop()
        self._ended.close()

    def _here(self, stream_id: str) -> Stream | None:
        """The stream, if it runs here or has ended within the retention time."""
        return self._running.get(stream_id) or self._ended.get(stream_id)

    def _forget(self, stream: Stream) -> None:
        stream.copy.stop()
        self._persistence.names.forget(stream.meta.id)

    def _retire(self, stream: Stream) -> None:
        self._running.remove(stream)
        stream.viewers.close()
        self._ended.add(stream)
        self._on_end(stream)


async def _within(seconds: float, waiting: Awaitable[object]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await waiting
