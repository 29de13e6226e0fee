"""The hub: every stream that this process runs or reads, found by id, bounded, kept for a while."""

from __future__ import annotations

import asyncio
import math
import re
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from hashlib import sha256
from time import perf_counter
from typing import Literal

from ..errors import ClientError, ProxyError
from ..events import Error
from ..stores.contract import (
    Crowded,
    Fenced,
    Missing,
    Named,
    Names,
    Store,
    StoreError,
    Taken,
    Writer,
    new_token,
)
from ..stores.health import Health
from ..stores.memory import StreamNames
from ..stores.records import Attempt, Cursor, End, EndReason, Meta, RecordId
from .audience import AtTheProducer
from .following import Following
from .keeper import Keeper
from .limits import Durability, Limits
from .policy import OnDisconnect
from .pump import CANCELLED, Pump, Source
from .shelf import Shelf
from .stream import Stream
from .tail import Bounds, Reader, Tail

GOING_AWAY = Error("shutting_down", "The server is shutting down.", retryable=True, status=503)
MOVED = Error(
    "connection_expired",
    "This connection's time is up. The stream goes on: read on from the last event's id.",
    retryable=True,
    status=503,
)
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_AWAIT_STORE = 1.0
"""Seconds that a new stream waits to be in the store, so that its id can be used at once."""
_SETTLE = 3.0
"""Seconds that an end may take to the store, and from it."""
_LAST_WORD = 1.0
"""Seconds that a stream's callers wait for the store to accept its end: it may have another."""
_CLAIMS = 100
"""Names that were claimed for a stream and may still be waiting for it to start."""
_REACH = 2.0
"""Seconds that a record may take from a stream's own caller to a viewer elsewhere."""
_REACHES = 5
"""So many times a viewer waits for that long, while the stream comes nearer."""


class Hub:
    """Starts, finds, cancels and forgets streams.

    Args:
        limits: What may be held.
        on_end: Told of each stream that ran here, once it is over.
        durability: How streams outlive this process; None, if they do not.
    """

    def __init__(
        self,
        limits: Limits,
        on_end: Callable[[Stream], None] | None = None,
        durability: Durability | None = None,
    ) -> None:
        self._limits = limits
        self._on_end = on_end or (lambda _: None)
        self._durability = durability
        self._open: dict[str, Stream] = {}
        self._local_names = StreamNames()
        self._shelf = Shelf(
            limits.bytes,
            limits.retention,
            self._forget,
            limits.owner_bytes,
            limits.unlimited,
        )
        self._owners: Counter[str] = Counter()
        # Names of streams that are about to start, here or in a worker.
        self._claims: deque[tuple[str, Named]] = deque(maxlen=_CLAIMS)
        self.health = Health()
        self._following: Following | None = None
        if durability is not None:
            self._following = Following(
                durability.store, durability.lease, self.health, self._new_tail
            )
        self._closing = False

    @property
    def closing(self) -> bool:
        """Whether the server is going away."""
        return self._closing

    @property
    def open_streams(self) -> int:
        """Streams that run here and have not ended."""
        return len(self._open)

    @property
    def open_viewers(self) -> int:
        """Readers attached to any stream."""
        held = (self._open.values(), self._shelf, self._following or ())
        return sum(stream.tail.readers for streams in held for stream in streams)

    @property
    def is_shared(self) -> bool:
        """Whether other processes can follow, and run, the streams of this one."""
        return self.store is not None

    @property
    def store_status(self) -> Literal["ok", "degraded"] | None:
        """Whether the shared store works; None where no store is shared."""
        if not self.is_shared:
            return None
        return "degraded" if self.health.failing else "ok"

    @property
    def store(self) -> Store | None:
        """Where streams outlive this process."""
        return None if self._durability is None else self._durability.store

    def account(self, owner: str) -> Callable[[int], bool]:
        """The account of a caller's bytes: takes changes, answers whether there is room."""
        return partial(self._shelf.charge, owner=owner)

    def admit(self, owner: str = "") -> None:
        """Whether another stream may start.

        Args:
            owner: The caller whose it would be.

        Raises:
            ProxyError: As ``start``.
        """
        if self._closing:
            raise ProxyError(GOING_AWAY.message, code=GOING_AWAY.code, status=503, retryable=True)
        if len(self._open) >= self._limits.streams or not self._shelf.charge(0):
            raise _overloaded("The server has as many streams as it can hold.", 503)
        is_limited = owner not in self._limits.unlimited
        if is_limited and self._owners[owner] >= self._limits.owner_streams:
            raise _overloaded("This caller has as many streams as one may have.", 429)

    async def start(
        self,
        meta: Meta,
        source: Source,
        policy: OnDisconnect,
        longest: float = math.inf,
        attempts: list[Attempt] | None = None,
        writer: Writer | None = None,
    ) -> Stream:
        """Open a log and set a pump going on it.

        Args:
            meta: What the stream is.
            source: Where its blocks come from.
            policy: What becomes of it without viewers.
            longest: Seconds that it may take at most, where that is less than the limits say.
            attempts: Where the source notes whom it asks.
            writer: The hold on its log, where that is in the store already.

        Raises:
            ProxyError: There is no room for another stream (``overloaded``), or the
                server is going away (``shutting_down``); status 503, retryable.
        """
        self.admit(meta.owner)
        stream = self._new_stream(meta, policy, writer)
        stream.facts.started = perf_counter()
        stream.facts.attempts = [] if attempts is None else attempts
        timeouts = self._limits.timeouts.within(longest)
        pump = Pump(source, stream.intake, stream.facts, timeouts)
        self._open[meta.id] = stream
        self._owners[meta.owner] += 1
        await self._note_names(meta.id)
        stream.task = asyncio.create_task(pump.run(), name=meta.id)
        stream.task.add_done_callback(lambda _: self._retire(stream))
        if stream.keeper is not None:
            stream.keeping = asyncio.create_task(stream.keeper.run(), name=f"keep {meta.id}")
            if not self.health.failing:
                await _within(_AWAIT_STORE, stream.keeper.created.wait())
        return stream

    async def find(self, stream_id: str, owner: str | None) -> Stream:
        """The stream of that id, if it belongs to ``owner`` (None: whoever holds a ticket).

        Raises:
            ClientError: 404 ``stream_not_found``: unknown, forgotten, or somebody else's.
            StoreError: The stream is not here, and the store cannot be asked.
        """
        if not _ID.fullmatch(stream_id):
            raise _not_found()  # a store would refuse it as a key, which is not the store's failure
        stream = self._here(stream_id)
        if stream is None and self._following is not None:
            stream = await self._following.find(stream_id)
        if stream is None or owner not in (None, stream.meta.owner):
            raise _not_found()
        return stream

    async def reach(self, stream: Stream, cursor: Cursor | None) -> None:
        """Wait a moment for a stream that runs elsewhere to get to the cursor.

        Its own caller may be ahead of the store by what is being written. What is still ahead
        then is refused by ``first_after``.
        """
        if cursor is None or stream.is_ours:
            return
        tail, seq = stream.tail, cursor.last.seq
        for _ in range(_REACHES):
            before = tail.next
            if await tail.reach(seq, _REACH) or tail.next == before:
                return

    async def owner_of(self, stream_id: str) -> str:
        """The caller whose the stream is. It is not followed for that.

        Raises:
            ClientError: As ``find``.
            StoreError: As ``find``.
        """
        if not _ID.fullmatch(stream_id):
            raise _not_found()
        found = self._here(stream_id)
        if found is not None:
            return found.meta.owner
        follower = None if self.store is None else await self.store.open(stream_id)
        if follower is None:
            raise _not_found()
        return follower.meta.owner

    async def claim(
        self, name: str, owner: str, meant: Named, instead_of: Named | None = None
    ) -> Named | None:
        """Let the owner's name stand for this; what it stands for, if for something else."""
        found = await self._names.claim(_key(name, owner), meant, instead_of)
        if found is None and self.store is not None:
            self._claims.append((_key(name, owner), meant))
        return found

    async def name(self, name: str, stream: Stream) -> None:
        """Let its owner find the stream by this name too; the last stream of a name counts.

        A failure of the store is noted, not raised: a stream without its name still runs.
        """
        key, meant = _key(name, stream.meta.owner), Named(stream.meta.id)
        try:
            await self._names.name(key, meant)
        except StoreError as error:
            self.health.failed(error)
            return
        if stream.is_ours and self.store is not None:
            await self._local_names.name(key, meant)

    async def named(self, name: str, owner: str) -> Named | None:
        """What the owner's name stands for; where the store has lost it, a stream held here."""
        key = _key(name, owner)
        return await self._names.named(key) or await self._local_names.named(key)

    @contextmanager
    def watch(self, stream: Stream, first: int, *, visible: bool = True) -> Iterator[Reader]:
        """Attach a reader; when the last visible one leaves, the stream's policy is applied.

        Args:
            stream: What is read.
            first: The number of the first block to be read.
            visible: Whether the reader's going will be seen here. One whose going is told
                by ``leave``, from elsewhere, is counted there.

        Raises:
            ClientError: As ``Tail.attach``.
        """
        with stream.tail.attach(first) as reader:
            counts = visible and stream.end is None
            if counts:
                stream.audience.enter()
            try:
                yield reader
            finally:
                if counts:
                    stream.audience.leave()

    async def renew(self, stream_id: str, owner: str | None, viewer: str, seconds: float) -> None:
        """A viewer whose disconnect cannot be seen means to watch for so many seconds more.

        Raises:
            ClientError: As ``find``.
            StoreError: As ``find``.
        """
        store = await self._admitted(stream_id, owner)
        found = self._here(stream_id)
        if store is None or (found is not None and found.end is not None):
            return
        with suppress(Fenced):  # of a stream that is over nobody has to know its viewers
            await store.renew(stream_id, viewer, seconds)

    async def grant_lease(self, stream: Stream, viewer: str, seconds: float) -> bool:
        """Count a viewer whose disconnect cannot be seen, for so many seconds.

        Returns:
            Whether the store counts it. False where the store is not shared, has no room for
            another viewer, no longer has the stream, or fails.
        """
        if self.store is None or stream.end is not None:
            return False
        try:
            await self.store.renew(stream.meta.id, viewer, seconds)
        except (Crowded, Fenced, Missing):
            return False  # the store works: it refuses this viewer or this stream
        except StoreError as error:
            self.health.failed(error)
            return False
        return True

    async def reserve(self, meta: Meta) -> None:
        """Put a stream into the shared store that another process is to run.

        Raises:
            StoreError: The store fails, or none is shared.
        """
        await self._shared_store().reserve(meta)

    async def adopt(self, stream_id: str) -> Writer | None:
        """Take over a reserved stream; None if it is over, unknown, or run by another process.

        Raises:
            StoreError: The store fails, or none is shared.
        """
        try:
            return await self._shared_store().adopt(stream_id, new_token())
        except (Fenced, Missing, Taken):
            return None

    async def close_reserved(self, stream_id: str, end: End) -> None:
        """End a reserved stream that nobody runs.

        Raises:
            StoreError: The store fails, or none is shared.
        """
        await self._shared_store().close(stream_id, end)

    async def leave(self, stream_id: str, owner: str | None, viewer: str) -> None:
        """Such a viewer has left.

        Raises:
            ClientError: As ``find``.
            StoreError: As ``find``.
        """
        store = await self._admitted(stream_id, owner)
        if store is not None:
            await store.leave(stream_id, viewer)

    async def cancel(self, stream: Stream, why: Error = CANCELLED) -> End | None:
        """End the stream now, wherever it runs, and close its upstream; its end.

        Raises:
            StoreError: It runs elsewhere, and the store cannot be told.
        """
        end = End(EndReason.CANCELLED, why)
        if stream.is_ours:
            self._abandon(stream, end)
        elif stream.end is None and self.store is not None:
            with suppress(Missing):
                _, end = await self.store.close(stream.meta.id, end)
        # Its last blocks and its end are still on their way, perhaps.
        await _within(_SETTLE, stream.tail.cursor().over())
        return stream.end or end

    async def settled(self, stream: Stream) -> None:
        """Wait for the store to have the end of a stream that is over, if it runs here."""
        if stream.keeper is not None and stream.end is not None:
            await _within(_SETTLE, stream.keeper.settled.wait())

    async def aclose(self) -> None:
        """Take no more streams, end those that run, and send everybody away."""
        self._closing = True
        running = list(self._open.values())
        for stream in running:
            self._abandon(stream, End(EndReason.CANCELLED, GOING_AWAY))
        tasks = [stream.task for stream in running if stream.task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(self.settled(stream) for stream in running))
        for stream in self._following or ():
            stream.tail.dismiss(MOVED)
        if self._following is not None:
            await self._following.aclose()
        for stream in [*running, *self._shelf]:
            if stream.keeping is not None:
                stream.keeping.cancel()
        self._shelf.close()

    async def _note_names(self, stream_id: str) -> None:
        """Remember the names of a stream that runs here, in case the store forgets them."""
        for key, meant in list(self._claims):
            if meant.stream == stream_id:
                self._claims.remove((key, meant))
                await self._local_names.name(key, meant)

    @property
    def _names(self) -> Names:
        return self.store or self._local_names

    async def _admitted(self, stream_id: str, owner: str | None) -> Store | None:
        """The store, if the stream is there and may be watched; None if there is none."""
        if owner not in (None, await self.owner_of(stream_id)):
            raise _not_found()
        return self.store

    def _shared_store(self) -> Store:
        if self.store is None:
            raise StoreError("No store is shared with other processes: set TOKENWIRE_STORE.")
        return self.store

    def _here(self, stream_id: str) -> Stream | None:
        """The stream, if it runs here or did not long ago."""
        return self._open.get(stream_id) or self._shelf.get(stream_id)

    def _new_tail(self, owner: str = "", patience: Callable[[], float] = lambda: 0.0) -> Tail:
        return Tail(self._limits.bounds, charge=self.account(owner), patience=patience)

    def _patience(self) -> float:
        return 0.0 if self.health.failing else _LAST_WORD

    def _new_stream(self, meta: Meta, policy: OnDisconnect, writer: Writer | None) -> Stream:
        intake = public = self._new_tail(meta.owner)
        keeper = None
        if (durability := self._durability) is not None:
            if durability.first == "send":
                intake = public = self._new_tail(meta.owner, self._patience)
            else:
                window = self._limits.bounds.window
                intake = Tail(Bounds(window, window), charge=self.account(meta.owner))
            keeper = Keeper(
                durability.store,
                meta,
                intake,
                lease=durability.lease,
                health=self.health,
                on_end=lambda end, at: self._abandon(stream, end, at),
                public=None if public is intake else public,
                writer=writer,
                names=partial(self._local_names.of, meta.id),
            )
        audience = AtTheProducer(
            policy,
            lambda: self._abandon(stream, End(EndReason.CANCELLED, CANCELLED)),
            None if keeper is None else keeper.watched_for,
        )
        # The callbacks above name it; they are called later.
        stream = Stream(meta, public, intake, audience, keeper=keeper)
        return stream

    def _abandon(self, stream: Stream, end: End, at: RecordId | None = None) -> None:
        """End a stream that runs here. What the store says (``at``) is for everybody at once.

        What cannot be committed any more is the end of nothing that the store has: viewers are
        told it without an id.
        """
        if at is not None:
            stream.intake.finish(end, at)
            stream.tail.finish(end, at)
        else:
            stream.intake.offer(end)
            if end.reason is EndReason.ERROR and end.error is not None:
                stream.tail.break_off(end.error)
        if stream.task is not None:
            stream.task.cancel()

    def _forget(self, stream: Stream) -> None:
        if stream.keeping is not None:
            stream.keeping.cancel()
        self._local_names.forget(stream.meta.id)

    def _retire(self, stream: Stream) -> None:
        del self._open[stream.meta.id]
        self._owners[stream.meta.owner] -= 1
        if not self._owners[stream.meta.owner]:
            del self._owners[stream.meta.owner]
        stream.audience.close()
        self._shelf.put(stream)
        self._on_end(stream)


async def _within(seconds: float, waiting: Awaitable[object]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await waiting


def _overloaded(message: str, status: int) -> ProxyError:
    return ProxyError(message, code="overloaded", status=status, retryable=True, retry_after=1.0)


def _not_found() -> ClientError:
    return ClientError("There is no such stream.", code="stream_not_found", status=404)


def _key(name: str, owner: str) -> str:
    """A name that says nothing of itself or its owner, and cannot meet another's."""
    return sha256(f"{owner}\0{name}".encode()).hexdigest()
