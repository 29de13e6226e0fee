"""A store in one file, outside the package: dicts that apps of one process share by address."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

from tokenwire.stores.contract import Batch, BatchSource, Keep, NameBinding, Pace, alone
from tokenwire.stores.exceptions import MAX_VIEWERS, Fenced, Missing, Rewound, Taken, TooManyViewers
from tokenwire.stores.kind import StoreKind, StoreOptions
from tokenwire.stores.records import End, Meta, RecordId
from tokenwire.stores.viewer_leases import ViewerLeases, mark

NOTHING = RecordId(0, 0)
T = TypeVar("T")


class Expiring(Generic[T]):
    """A dict whose items expire. They are only hidden then; a store in use has to remove them."""

    def __init__(self) -> None:
        self._items: dict[str, tuple[T, float]] = {}

    def put(self, key: str, value: T, seconds: float) -> None:
        """Keep a value for so many seconds."""
        self._items[key] = value, monotonic() + seconds

    def get(self, key: str) -> T | None:
        """Return a value; None if there is none, or if it has expired."""
        found = self._items.get(key)
        return found[0] if found is not None and found[1] > monotonic() else None


@dataclass
class Log:
    """One stream."""

    meta: Meta
    producer: str
    batches: list[Batch] = field(default_factory=list)
    heartbeats: int = 0
    viewers: dict[str, str] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def last(self) -> RecordId:
        """The id of the last record."""
        return self.batches[-1].last if self.batches else NOTHING

    def check_open(self) -> None:
        """Raise ``Fenced`` if there is an end."""
        if self.batches and (end := self.batches[-1].end):
            raise Fenced(self.last, end)

    def add(self, batch: Batch) -> None:
        """Append a batch and wake the readers."""
        self.batches.append(batch)
        self.changed.set()
        self.changed = asyncio.Event()


class ToyWriter:
    """A ``Writer``."""

    def __init__(self, store: ToyStore, stream_id: str, token: str) -> None:
        self.token = token
        self._store = store
        self._id = stream_id
        self._last = NOTHING
        self._leases = ViewerLeases()

    async def append(self, batch: Batch, floor: int = 1) -> None:
        """As ``Writer.append``. Keeps the records below ``floor`` too."""
        log = self._own()
        if batch not in log.batches[-1:]:
            self._check(log)
            if not batch.follows(log.last):
                raise Rewound(log.last)
            log.heartbeats += 1
            log.add(batch)
        self._last = batch.last
        if batch.end is not None:
            self._store.keep_ended(log)

    def append_from(self, source: BatchSource) -> Awaitable[None]:
        """As ``Writer.append_from``: each stream is written alone."""
        return alone()

    async def heartbeat(self) -> None:
        """As ``Writer.heartbeat``."""
        log = self._own()
        self._check(log)
        log.heartbeats += 1

    async def check(self) -> float:
        """As ``Writer.check``."""
        log = self._own()
        self._check(log)
        return self._leases.update(log.viewers)

    def _own(self) -> Log:
        log = self._store.log(self._id)
        if log.producer != self.token:
            raise Taken
        return log

    def _check(self, log: Log) -> None:
        log.check_open()
        if log.last != self._last:
            self._last = log.last
            raise Rewound(log.last)


class ToyFollower:
    """A ``Follower``."""

    def __init__(self, store: ToyStore, log: Log) -> None:
        self.meta = log.meta
        self._store = store
        self._log = log
        self._place = NOTHING

    async def read(self, wait: float) -> list[Batch]:
        """As ``Follower.read``."""
        if not self._unread and wait > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._log.changed.wait(), wait)
        found = self._unread
        if found:
            self._place = found[-1].last
        return found

    async def producer_heartbeat(self) -> int:
        """As ``Follower.producer_heartbeat``."""
        return self._store.log(self.meta.id).heartbeats

    async def probe_write(self) -> None:
        """As ``Follower.probe_write``."""
        self._store.log(self.meta.id)

    async def end_as_lost(self, end: End) -> None:
        """As ``Follower.end_as_lost``."""
        self._store.log(self.meta.id)
        if not self._unread:
            await self._store.close(self.meta.id, end)

    @property
    def _unread(self) -> list[Batch]:
        return [batch for batch in self._log.batches if batch.last > self._place]


class ToyStore:
    """A ``Store``."""

    shared = True
    pace = Pace()

    def __init__(self, keep: Keep) -> None:
        self.keep = keep
        self._logs: Expiring[Log] = Expiring()
        self._names: Expiring[NameBinding] = Expiring()

    def log(self, stream_id: str) -> Log:
        """Return the log of this id, or raise ``Missing``."""
        if (log := self._logs.get(stream_id)) is None:
            raise Missing
        return log

    def keep_ended(self, log: Log) -> None:
        """Keep a log that has ended for less time."""
        self._logs.put(log.meta.id, log, self.keep.ended)

    async def prepare(self) -> None:
        """As ``Store.prepare``."""

    async def aclose(self) -> None:
        """As ``Store.aclose``."""

    async def create(self, meta: Meta, token: str) -> ToyWriter:
        """As ``Store.create``."""
        log = self._logs.get(meta.id)
        if log is None:
            self._logs.put(meta.id, Log(meta, token), self.keep.running)
        elif (log.meta, log.producer) != (meta, token):
            raise Taken
        return ToyWriter(self, meta.id, token)

    async def reserve(self, meta: Meta) -> None:
        """As ``Store.reserve``: a log without a producer."""
        await self.create(meta, "")

    async def adopt(self, stream_id: str, token: str) -> ToyWriter:
        """As ``Store.adopt``."""
        log = self.log(stream_id)
        log.check_open()
        if log.producer not in ("", token):
            raise Taken
        log.producer = token
        log.heartbeats += 1
        return ToyWriter(self, stream_id, token)

    async def open(self, stream_id: str) -> ToyFollower | None:
        """As ``Store.open``."""
        log = self._logs.get(stream_id)
        return None if log is None else ToyFollower(self, log)

    async def close(self, stream_id: str, end: End) -> tuple[RecordId, End]:
        """As ``Store.close``."""
        log = self.log(stream_id)
        try:
            log.check_open()
        except Fenced as error:
            return error.at, error.end
        log.add(Batch(max(1, log.last.epoch) + 1, 0, [], end))
        self.keep_ended(log)
        return log.last, end

    async def renew(self, stream_id: str, viewer: str, seconds: float) -> None:
        """As ``Store.renew``."""
        log = self.log(stream_id)
        if viewer not in log.viewers:
            log.check_open()
            if len(log.viewers) >= MAX_VIEWERS:
                raise TooManyViewers
        log.viewers[viewer] = mark(seconds)

    async def leave(self, stream_id: str, viewer: str) -> None:
        """As ``Store.leave``."""
        if log := self._logs.get(stream_id):
            log.viewers.pop(viewer, None)

    async def claim(
        self, name: str, binding: NameBinding, instead_of: NameBinding | None = None
    ) -> NameBinding | None:
        """As ``Names.claim``."""
        found = self._names.get(name)
        if found not in (None, binding, instead_of):
            return found
        await self.name(name, binding)
        return None

    async def name(self, name: str, binding: NameBinding) -> None:
        """As ``Names.name``."""
        self._names.put(name, binding, self.keep.running + self.keep.ended)

    async def lookup(self, name: str) -> NameBinding | None:
        """As ``Names.lookup``."""
        return self._names.get(name)


ROOMS: dict[str, ToyStore] = {}
"""The stores that were made, by address."""


def _create(url: str, options: StoreOptions) -> ToyStore:
    return ROOMS.setdefault(url, ToyStore(options.keep))


KIND = StoreKind(
    name="toy",
    schemes=("toy",),
    form="toy://ROOM",
    pattern=r"[a-z-]{1,20}",
    create=_create,
    description="in a toy",
)
