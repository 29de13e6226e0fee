"""The hub: every stream of this process, found by id, bounded, and kept for a while."""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from ..errors import ClientError, ProxyError
from ..events import Error
from .deadline import Timeouts
from .log import Attempt, Cursor, End, EndReason, Facts, Meta
from .policy import OnDisconnect
from .pump import CANCELLED, Pump, Source
from .tail import Bounds, Reader, Tail

_FIRST_VIEWER = 5.0
"""Seconds that the first viewer of a stream has, where its policy gives returning ones none."""
GOING_AWAY = Error("shutting_down", "The server is shutting down.", retryable=True, status=503)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process may hold: streams by count, blocks by bytes, the past by seconds."""

    bounds: Bounds = field(default_factory=Bounds)
    timeouts: Timeouts = field(default_factory=Timeouts)
    streams: int = 10_000
    bytes: int = 256 * 1024 * 1024
    retention: float = 600.0


@dataclass(slots=True, eq=False)
class Stream:
    """One stream, running or finished."""

    meta: Meta
    tail: Tail
    policy: OnDisconnect
    facts: Facts = field(default_factory=Facts)
    task: asyncio.Task[None] | None = None
    timer: asyncio.TimerHandle | None = None
    names: list[str] = field(default_factory=list)
    fingerprint: str = ""


def new_id() -> str:
    """An id that cannot be guessed: 128 random bits."""
    return f"st_{secrets.token_urlsafe(16)}"


class Hub:
    """Starts, finds, cancels and forgets streams.

    Args:
        limits: What may be held.
        on_end: Told of each stream once it is over.
    """

    def __init__(self, limits: Limits, on_end: Callable[[Stream], None] | None = None) -> None:
        self._limits = limits
        self._on_end = on_end or (lambda _: None)
        self._open: dict[str, Stream] = {}
        self._finished: dict[str, Stream] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._held = 0
        self._closing = False

    @property
    def closing(self) -> bool:
        """Whether the server is going away."""
        return self._closing

    @property
    def open_streams(self) -> int:
        """Streams that have not ended."""
        return len(self._open)

    @property
    def open_viewers(self) -> int:
        """Readers attached to any stream."""
        return sum(s.tail.readers for held in (self._open, self._finished) for s in held.values())

    def start(
        self,
        meta: Meta,
        source: Source,
        policy: OnDisconnect,
        longest: float = math.inf,
        attempts: list[Attempt] | None = None,
    ) -> Stream:
        """Open a log and set a pump going on it.

        Args:
            meta: What the stream is.
            source: Where its blocks come from.
            policy: What becomes of it without viewers.
            longest: Seconds that it may take at most, where that is less than the limits say.
            attempts: Where the source notes whom it asks.

        Raises:
            ProxyError: There is no room for another stream (``overloaded``), or the
                server is going away (``shutting_down``); status 503, retryable.
        """
        if self._closing:
            raise ProxyError(GOING_AWAY.message, code=GOING_AWAY.code, status=503, retryable=True)
        if len(self._open) >= self._limits.streams or not self._charge(0):
            raise ProxyError(
                "The server has as many streams as it can hold.",
                code="overloaded",
                status=503,
                retryable=True,
                retry_after=1.0,
            )
        stream = Stream(meta, Tail(self._limits.bounds, charge=self._charge), policy)
        stream.facts.started = perf_counter()
        stream.facts.attempts = [] if attempts is None else attempts
        timeouts = self._limits.timeouts.within(longest)
        pump = Pump(source, stream.tail, stream.facts, timeouts)
        self._open[meta.id] = stream
        stream.task = asyncio.create_task(pump.run(), name=meta.id)
        stream.task.add_done_callback(lambda _: self._retire(stream))
        self._await_viewer(stream, _FIRST_VIEWER)
        return stream

    def find(self, stream_id: str, owner: str | None) -> Stream:
        """The stream of that id, if it belongs to ``owner`` (None: whoever holds a ticket).

        Raises:
            ClientError: 404 ``stream_not_found``: unknown, forgotten, or somebody else's.
        """
        stream = self._open.get(stream_id) or self._finished.get(stream_id)
        if stream is None or owner not in (None, stream.meta.owner):
            raise ClientError("There is no such stream.", code="stream_not_found", status=404)
        return stream

    def name(self, stream: Stream, name: str) -> None:
        """Let its owner find the stream by this name too; the last stream of a name counts."""
        self._names[stream.meta.owner, name] = stream.meta.id
        stream.names.append(name)

    def named(self, name: str, owner: str) -> Stream | None:
        """The owner's last stream of that name, if it is still held."""
        found = self._names.get((owner, name), "")
        return self._open.get(found) or self._finished.get(found)

    @contextmanager
    def watch(self, stream: Stream, first: int) -> Iterator[Reader]:
        """Attach a reader; when the last one leaves, the stream's policy is applied.

        Raises:
            ClientError: As ``Tail.attach``.
        """
        with stream.tail.attach(first) as reader:
            if stream.tail.end is None:
                self._disarm(stream)
            try:
                yield reader
            finally:
                if stream.tail.readers == 1:
                    self._await_viewer(stream)

    def cancel(self, stream: Stream, why: Error = CANCELLED) -> bool:
        """End the stream now and close its upstream; whether it was still running."""
        won = stream.tail.finish(End(EndReason.CANCELLED, why))
        if stream.task is not None:
            stream.task.cancel()
        return won

    async def aclose(self) -> None:
        """Take no more streams, and end those that run."""
        self._closing = True
        running = list(self._open.values())
        for stream in running:
            self.cancel(stream, GOING_AWAY)
        tasks = [stream.task for stream in running if stream.task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)
        for stream in self._finished.values():
            self._disarm(stream)

    def _await_viewer(self, stream: Stream, without_grace: float = 0.0) -> None:
        if stream.tail.end is None and stream.policy.grace is not None:
            self._arm(stream, stream.policy.grace or without_grace, self.cancel)

    def _retire(self, stream: Stream) -> None:
        del self._open[stream.meta.id]
        self._finished[stream.meta.id] = stream
        self._on_end(stream)
        self._arm(stream, self._limits.retention, self._expire)

    def _expire(self, stream: Stream) -> None:
        if stream.tail.readers:
            self._arm(stream, self._limits.retention, self._expire)
        else:
            self._forget(stream)

    def _forget(self, stream: Stream) -> None:
        del self._finished[stream.meta.id]
        for name in stream.names:
            if self._names.get((stream.meta.owner, name)) == stream.meta.id:
                del self._names[stream.meta.owner, name]
        self._disarm(stream)
        stream.tail.drop()

    def _arm(self, stream: Stream, seconds: float, act: Callable[[Stream], object]) -> None:
        self._disarm(stream)
        stream.timer = asyncio.get_running_loop().call_later(seconds, act, stream)

    def _disarm(self, stream: Stream) -> None:
        if stream.timer is not None:
            stream.timer.cancel()

    def _charge(self, size: int) -> bool:
        """Keep the account of held bytes; past the limit, forget the oldest finished first."""
        self._held += size
        while self._held > self._limits.bytes:
            idle = next((s for s in self._finished.values() if not s.tail.readers), None)
            if idle is None:
                return False
            self._forget(idle)
        return True


def first_after(stream: Stream, cursor: Cursor | None) -> int:
    """The number of the first record after ``cursor``: 0, the meta record, without one.

    Raises:
        ClientError: The cursor is of another stream or epoch, or of a record that was never
            written (400, ``invalid_cursor``).
    """
    if cursor is None:
        return 0
    tail = stream.tail
    foreign = cursor.stream not in (None, stream.meta.id) or cursor.last.epoch != tail.epoch
    if foreign or cursor.last > tail.last:
        raise ClientError(
            "The cursor does not belong to this stream.",
            code="invalid_cursor",
            param="last_event_id",
        )
    return cursor.last.seq + 1
