"""The store contract in its plainest form: lists in memory. What the real ones are held against."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from copy import copy
from dataclasses import dataclass, field, replace

from tokenwire.stores.contract import (
    MAX_VIEWERS,
    Batch,
    Crowded,
    Fenced,
    Keep,
    Missing,
    Named,
    Pace,
    Rewound,
    Taken,
)
from tokenwire.stores.records import End, EndReason, Meta, RecordId
from tokenwire.stores.watchers import Watchers, mark

NOTHING = RecordId(0, 0)


@dataclass(slots=True)
class Log:
    """One stream's. Without its head it is ``headless``."""

    meta: Meta
    producer: str
    batches: list[Batch] = field(default_factory=list)
    pulse: int = 0
    marks: dict[str, str] = field(default_factory=dict)
    headless: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def end(self) -> Batch | None:
        """The batch that ends it."""
        return self.batches[-1] if self.batches and self.batches[-1].end else None

    @property
    def last(self) -> RecordId:
        """The id of the last record."""
        return self.batches[-1].last if self.batches else NOTHING

    def check_open(self) -> None:
        """Raises ``Fenced`` if it has an end."""
        if self.end is not None and self.end.end is not None:
            raise Fenced(self.end.last, self.end.end)

    def add(self, batch: Batch) -> None:
        """Write, and wake readers."""
        self.batches.append(batch)
        self.changed.set()
        self.changed = asyncio.Event()

    def after(self, seen: RecordId) -> list[Batch]:
        """The batches that end after this record."""
        return [batch for batch in self.batches if batch.last > seen]


async def nothing() -> None:
    """The scripted trouble of a store without any."""


@dataclass(slots=True)
class MemoryStore:
    """A ``Store``. ``trouble`` is awaited before each request, and may raise or wait.

    ``denied`` is awaited before each request that writes, as in a store that is full.
    """

    trouble: Callable[[], Awaitable[None]] = nothing
    pace: Pace = field(default_factory=Pace)
    logs: dict[str, Log] = field(default_factory=dict)
    names: dict[str, Named] = field(default_factory=dict)
    asked: int = 0
    keep: Keep = field(default_factory=Keep)
    denied: Callable[[], Awaitable[None]] = nothing

    async def prepare(self) -> None:
        """Nothing to get ready."""

    async def aclose(self) -> None:
        """Nothing to close."""

    async def log(self, stream_id: str) -> Log:
        """The log of that id, if there is no trouble."""
        self.asked += 1
        await self.trouble()
        if stream_id not in self.logs or self.logs[stream_id].headless:
            raise Missing
        return self.logs[stream_id]

    async def create(self, meta: Meta, token: str) -> Writer:
        """As ``Store.create``."""
        await self._make(meta, token)
        return Writer(self, meta.id, token)

    async def reserve(self, meta: Meta) -> None:
        """As ``Store.reserve``."""
        await self._make(meta, "")

    async def adopt(self, stream_id: str, token: str) -> Writer:
        """As ``Store.adopt``."""
        await self.denied()
        log = await self.log(stream_id)
        log.check_open()
        if log.producer not in ("", token):
            raise Taken
        log.producer = token
        log.pulse += 1
        return Writer(self, stream_id, token)

    async def open(self, stream_id: str) -> Follower | None:
        """As ``Store.open``."""
        try:
            return Follower(self, (await self.log(stream_id)).meta)
        except Missing:
            return None

    async def close(self, stream_id: str, end: End) -> tuple[RecordId, End]:
        """As ``Store.close``."""
        await self.trouble()
        await self.denied()
        log = self.logs.get(stream_id)
        if log is None or (log.headless and not log.batches):
            raise Missing
        if log.end is None:
            log.add(Batch(max(1, log.last.epoch) + 1, 0, [], end))
        assert log.end is not None
        assert log.end.end is not None
        return log.end.last, log.end.end

    async def renew(self, stream_id: str, viewer: str, seconds: float) -> None:
        """As ``Store.renew``."""
        await self.denied()
        log = await self.log(stream_id)
        if viewer not in log.marks:
            log.check_open()
            if len(log.marks) >= MAX_VIEWERS:
                raise Crowded
        log.marks[viewer] = mark(seconds)

    async def leave(self, stream_id: str, viewer: str) -> None:
        """As ``Store.leave``."""
        await self.trouble()
        if stream_id in self.logs:
            self.logs[stream_id].marks.pop(viewer, None)

    async def claim(self, name: str, meant: Named, instead_of: Named | None = None) -> Named | None:
        """As ``Names.claim``."""
        await self.trouble()
        await self.denied()
        found = self.names.setdefault(name, meant)
        if found in (meant, instead_of):
            self.names[name] = meant
            return None
        return found

    async def name(self, name: str, meant: Named) -> None:
        """As ``Names.name``."""
        await self.trouble()
        await self.denied()
        self.names[name] = meant

    async def named(self, name: str) -> Named | None:
        """As ``Names.named``."""
        await self.trouble()
        return self.names.get(name)

    def flush(self) -> None:
        """Lose everything."""
        self.logs.clear()
        self.names.clear()

    def copied(self, stream_id: str) -> Log | None:
        """A log as it is now, for ``put_back``."""
        log = self.logs.get(stream_id)
        if log is None:
            return None
        return replace(log, batches=copy(log.batches), marks=copy(log.marks))

    def put_back(self, stream_id: str, log: Log | None) -> None:
        """Go back in time: the log is what it was."""
        self.logs.pop(stream_id, None)
        if log is not None:
            self.logs[stream_id] = replace(log, batches=copy(log.batches), marks=copy(log.marks))

    async def _make(self, meta: Meta, producer: str) -> None:
        await self.trouble()
        await self.denied()
        log = self.logs.setdefault(meta.id, Log(meta, producer))
        if log.headless:
            log.meta, log.producer, log.pulse, log.headless = meta, producer, 0, False
        if (log.meta, log.producer) != (meta, producer):
            raise Taken


@dataclass(slots=True, eq=False)
class Writer:
    """The producer's hold on a log."""

    store: MemoryStore
    id: str
    token: str
    last: RecordId = NOTHING
    watchers: Watchers = field(default_factory=Watchers)

    async def append(self, batch: Batch, floor: int = 1) -> None:
        """As ``Writer.append``."""
        await self.store.denied()
        log = await self.log()
        is_repeated = bool(log.batches) and log.batches[-1] == batch
        if not is_repeated:
            log.check_open()
            self.check_place(log)
            if not batch.follows(log.last):
                raise Rewound(log.last)
            log.pulse += 1
            log.add(batch)
        self.last = batch.last

    async def beat(self) -> None:
        """As ``Writer.beat``."""
        await self.store.denied()
        log = await self.log()
        log.check_open()
        self.check_place(log)
        log.pulse += 1

    async def look(self) -> float:
        """As ``Writer.look``."""
        log = await self.log()
        log.check_open()
        self.check_place(log)
        return self.watchers.hear(log.marks)

    async def log(self) -> Log:
        """The log, which must be its own."""
        log = await self.store.log(self.id)
        if log.producer != self.token:
            raise Taken
        return log

    def check_place(self, log: Log) -> None:
        """Raises ``Rewound`` if the log does not end where this has left it."""
        if log.last != self.last:
            self.last = log.last
            raise Rewound(log.last)


@dataclass(slots=True)
class Follower:
    """One reader's place in a log."""

    store: MemoryStore
    meta: Meta
    place: RecordId = NOTHING

    async def read(self, wait: float) -> list[Batch]:
        """As ``Follower.read``."""
        self.store.asked += 1
        await self.store.trouble()
        log = self.store.logs.get(self.meta.id) or Log(self.meta, "")
        if not log.after(self.place) and wait > 0:
            try:
                async with asyncio.timeout(wait):
                    await log.changed.wait()
            except TimeoutError:
                return []
        found = log.after(self.place)
        if found:
            self.place = found[-1].last
        return found

    async def pulse(self) -> int:
        """As ``Follower.pulse``."""
        return (await self.store.log(self.meta.id)).pulse

    async def probe(self) -> None:
        """As ``Follower.probe``."""
        await self.store.denied()
        await self.store.log(self.meta.id)

    async def lose(self, end: End) -> None:
        """As ``Follower.lose``."""
        await self.store.trouble()
        log = self.store.logs.get(self.meta.id)
        if log is None:
            raise Missing
        if not log.after(self.place) and log.end is None:
            await self.store.close(self.meta.id, end)


DONE = End(EndReason.DONE)
