"""The memory store with scripted faults: requests that fail or wait, and logs that are damaged."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from copy import copy
from dataclasses import dataclass, replace
from typing import cast

from tokenwire.stores import memory
from tokenwire.stores.contract import Batch, Keep, NameBinding, Pace
from tokenwire.stores.exceptions import Missing, Taken
from tokenwire.stores.memory import logs
from tokenwire.stores.memory.logs import NOTHING
from tokenwire.stores.memory.places import MemoryFollower, MemoryWriter
from tokenwire.stores.records import End, EndReason, Meta, RecordId


@dataclass(slots=True)
class Log(logs.Log):
    """One stream's. Without its head it is ``headless``."""

    headless: bool = False


class Logs(logs.Logs):
    """Logs that may have lost their heads."""

    def __init__(self, held: dict[str, Log], keep: Keep) -> None:
        super().__init__(cast("dict[str, logs.Log]", held), keep, time.monotonic)
        self.own = held

    def get(self, stream_id: str) -> Log:
        """As ``logs.Logs.get``."""
        log = self.own.get(stream_id)
        if log is None or log.headless:
            raise Missing
        return log

    def make(self, meta: Meta, producer: str) -> None:
        """As ``logs.Logs.make``."""
        log = self.own.setdefault(meta.id, Log(meta, producer))
        if log.headless:
            log.meta, log.producer, log.heartbeats, log.headless = meta, producer, 0, False
        if (log.meta, log.producer) != (meta, producer):
            raise Taken

    def close(self, stream_id: str, end: End) -> tuple[RecordId, End]:
        """As ``logs.Logs.close``."""
        log = self.own.get(stream_id)
        if log is None or (log.headless and not log.batches):
            raise Missing
        return log.close(end)


async def nothing() -> None:
    """The scripted trouble of a store without any."""


class MemoryStore(memory.MemoryStore):
    """A shared ``Store``.

    Args:
        trouble: Awaited before each request, and may raise or wait.
        pace: How often a producer is to write.
        logs: The logs by stream id, to be shared with another store.
        keep: For how long logs are kept.
        denied: Awaited before each request that writes, as in a store that is full.
    """

    def __init__(
        self,
        trouble: Callable[[], Awaitable[None]] = nothing,
        pace: Pace = memory.MemoryStore.pace,
        logs: dict[str, Log] | None = None,
        keep: Keep | None = None,
        denied: Callable[[], Awaitable[None]] = nothing,
    ) -> None:
        self.logs: dict[str, Log] = {} if logs is None else logs
        self.found = Logs(self.logs, keep or Keep())
        super().__init__(keep, shared=True, logs=self.found)
        self.trouble = trouble
        self.pace = pace
        self.denied = denied

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
        await self.trouble()
        await super().adopt(stream_id, token)
        return Writer(self, stream_id, token)

    async def open(self, stream_id: str) -> Follower | None:
        """As ``Store.open``."""
        await self.trouble()
        try:
            return Follower(self, self.found.get(stream_id).meta)
        except Missing:
            return None

    async def close(self, stream_id: str, end: End) -> tuple[RecordId, End]:
        """As ``Store.close``."""
        await self.trouble()
        await self.denied()
        return await super().close(stream_id, end)

    async def renew(self, stream_id: str, viewer: str, seconds: float) -> None:
        """As ``Store.renew``."""
        await self.denied()
        await self.trouble()
        await super().renew(stream_id, viewer, seconds)

    async def leave(self, stream_id: str, viewer: str) -> None:
        """As ``Store.leave``."""
        await self.trouble()
        await super().leave(stream_id, viewer)

    async def claim(
        self, name: str, binding: NameBinding, instead_of: NameBinding | None = None
    ) -> NameBinding | None:
        """As ``Names.claim``."""
        await self.trouble()
        await self.denied()
        found = await memory.MemoryStore.lookup(self, name)
        if found not in (None, binding, instead_of):
            return found
        await memory.MemoryStore.name(self, name, binding)
        return None

    async def name(self, name: str, binding: NameBinding) -> None:
        """As ``Names.name``."""
        await self.trouble()
        await self.denied()
        await super().name(name, binding)

    async def lookup(self, name: str) -> NameBinding | None:
        """As ``Names.lookup``."""
        await self.trouble()
        return await super().lookup(name)

    @property
    def names(self) -> dict[str, tuple[NameBinding, float]]:
        """All names, with what they stand for and until when."""
        return self._names

    def flush(self) -> None:
        """Lose everything."""
        self.logs.clear()
        self._names.clear()

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
        self.found.make(meta, producer)


class Writer(MemoryWriter):
    """The producer's hold on a log."""

    def __init__(
        self, store: MemoryStore, stream_id: str, token: str, last: RecordId = NOTHING
    ) -> None:
        super().__init__(store.found, stream_id, token, last)
        self.store = store

    async def append(self, batch: Batch, floor: int = 1) -> None:
        """As ``Writer.append``."""
        await self.store.denied()
        await self.store.trouble()
        await super().append(batch, floor)

    async def heartbeat(self) -> None:
        """As ``Writer.heartbeat``."""
        await self.store.denied()
        await self.store.trouble()
        await super().heartbeat()

    async def check(self) -> float:
        """As ``Writer.check``."""
        await self.store.trouble()
        return await super().check()


class Follower(MemoryFollower):
    """One reader's place in a log."""

    def __init__(self, store: MemoryStore, meta: Meta, place: RecordId = NOTHING) -> None:
        super().__init__(store.found, meta, place)
        self.store = store

    async def read(self, wait: float) -> list[Batch]:
        """As ``Follower.read``."""
        await self.store.trouble()
        return await super().read(wait)

    async def producer_heartbeat(self) -> int:
        """As ``Follower.producer_heartbeat``."""
        await self.store.trouble()
        return await super().producer_heartbeat()

    async def probe_write(self) -> None:
        """As ``Follower.probe_write``."""
        await self.store.denied()
        await self.store.trouble()
        await super().probe_write()

    async def end_as_lost(self, end: End) -> None:
        """As ``Follower.end_as_lost``; a log that is headless is lost all the same."""
        await self.store.trouble()
        log = self.store.logs.get(self.meta.id)
        if log is None:
            raise Missing
        if not log.after(self.place) and log.end is None:
            await self.store.close(self.meta.id, end)


DONE = End(EndReason.DONE)
