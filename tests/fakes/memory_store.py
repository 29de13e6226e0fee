"""The store contract in its plainest form: lists in memory. What the real ones are held against."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tokenwire.streams.log import End, EndReason, Meta, RecordId
from tokenwire.streams.store import Batch, Fenced, Missing, Named, Pace, Taken


@dataclass(slots=True)
class Log:
    """One stream's."""

    meta: Meta
    producer: str
    batches: list[Batch] = field(default_factory=list)
    pulse: int = 0
    viewers: dict[str, float] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def end(self) -> Batch | None:
        """The batch that ends it."""
        return self.batches[-1] if self.batches and self.batches[-1].end else None

    def check_open(self) -> None:
        """Raises ``Fenced`` if it has an end."""
        if self.end is not None and self.end.end is not None:
            raise Fenced(self.end.last, self.end.end)

    def add(self, batch: Batch) -> None:
        """Write, and wake readers."""
        self.batches.append(batch)
        self.changed.set()
        self.changed = asyncio.Event()


async def nothing() -> None:
    """The scripted trouble of a store without any."""


@dataclass(slots=True)
class MemoryStore:
    """A ``Store``. ``trouble`` is awaited before each request, and may raise or wait."""

    trouble: Callable[[], Awaitable[None]] = nothing
    pace: Pace = field(default_factory=Pace)
    logs: dict[str, Log] = field(default_factory=dict)
    names: dict[str, Named] = field(default_factory=dict)
    asked: int = 0

    async def prepare(self) -> None:
        """Nothing to get ready."""

    async def aclose(self) -> None:
        """Nothing to close."""

    async def log(self, stream_id: str) -> Log:
        """The log of that id, if there is no trouble."""
        self.asked += 1
        await self.trouble()
        if stream_id not in self.logs:
            raise Missing
        return self.logs[stream_id]

    async def create(self, meta: Meta, token: str) -> Writer:
        """As ``Store.create``."""
        await self._make(meta, token)
        return Writer(self, meta.id)

    async def reserve(self, meta: Meta) -> None:
        """As ``Store.reserve``."""
        await self._make(meta, "")

    async def adopt(self, stream_id: str, token: str) -> Writer:
        """As ``Store.adopt``."""
        log = await self.log(stream_id)
        log.check_open()
        if log.producer not in ("", token):
            raise Taken
        log.producer = token
        log.pulse += 1
        return Writer(self, stream_id)

    async def open(self, stream_id: str) -> Follower | None:
        """As ``Store.open``."""
        try:
            return Follower(self, (await self.log(stream_id)).meta)
        except Missing:
            return None

    async def close(self, stream_id: str, end: End) -> tuple[RecordId, End]:
        """As ``Store.close``."""
        log = await self.log(stream_id)
        if log.end is None:
            epoch = log.batches[-1].epoch if log.batches else 1
            log.add(Batch(epoch + 1, 0, [], end))
        assert log.end is not None
        assert log.end.end is not None
        return log.end.last, log.end.end

    async def renew(self, stream_id: str, viewer: str, until: float) -> None:
        """As ``Store.renew``."""
        (await self.log(stream_id)).viewers[viewer] = until

    async def leave(self, stream_id: str, viewer: str) -> None:
        """As ``Store.leave``."""
        (await self.log(stream_id)).viewers.pop(viewer, None)

    async def claim(self, name: str, meant: Named, instead_of: Named | None = None) -> Named | None:
        """As ``Names.claim``."""
        await self.trouble()
        found = self.names.setdefault(name, meant)
        if found in (meant, instead_of):
            self.names[name] = meant
            return None
        return found

    async def name(self, name: str, meant: Named) -> None:
        """As ``Names.name``."""
        await self.trouble()
        self.names[name] = meant

    async def named(self, name: str) -> Named | None:
        """As ``Names.named``."""
        await self.trouble()
        return self.names.get(name)

    async def _make(self, meta: Meta, producer: str) -> None:
        await self.trouble()
        log = self.logs.setdefault(meta.id, Log(meta, producer))
        if (log.meta, log.producer) != (meta, producer):
            raise Taken


@dataclass(slots=True, eq=False)
class Writer:
    """The producer's hold on a log."""

    store: MemoryStore
    id: str

    async def append(self, batch: Batch, floor: int = 1) -> None:
        """As ``Writer.append``."""
        log = await self.log()
        if log.batches and log.batches[-1] == batch:
            return
        log.check_open()
        log.pulse += 1
        log.add(batch)

    async def beat(self) -> None:
        """As ``Writer.beat``."""
        log = await self.log()
        log.check_open()
        log.pulse += 1

    async def look(self) -> float:
        """As ``Writer.look``."""
        log = await self.log()
        log.check_open()
        return max(log.viewers.values(), default=0.0)

    async def log(self) -> Log:
        """The log, which must be its own."""
        return await self.store.log(self.id)


@dataclass(slots=True)
class Follower:
    """One reader's place in a log."""

    store: MemoryStore
    meta: Meta
    place: int = 0

    async def read(self, wait: float) -> list[Batch]:
        """As ``Follower.read``."""
        log = await self.store.log(self.meta.id)
        if self.place == len(log.batches) and wait > 0:
            try:
                async with asyncio.timeout(wait):
                    await log.changed.wait()
            except TimeoutError:
                return []
        found = log.batches[self.place :]
        self.place += len(found)
        return found

    async def pulse(self) -> int:
        """As ``Follower.pulse``."""
        return (await self.store.log(self.meta.id)).pulse

    async def lose(self, end: End) -> None:
        """As ``Follower.lose``."""
        log = await self.store.log(self.meta.id)
        if self.place == len(log.batches) and log.end is None:
            await self.store.close(self.meta.id, end)


DONE = End(EndReason.DONE)
