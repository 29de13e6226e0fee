"""The memory store."""

from __future__ import annotations

import time
from collections.abc import Callable

from ..contract import Follower, Keep, NameBinding, Pace, Writer
from ..exceptions import Taken
from ..records import End, Meta, RecordId
from .logs import Logs
from .places import MemoryFollower, MemoryWriter


class MemoryStore:
    """A store in this process's memory.

    Args:
        keep: For how long logs are kept.
        shared: Whether several apps of this process read each other's streams through it.
        clock: Returns seconds, from any start.
        logs: Where logs are kept, if not in this store alone.
    """

    pace = Pace()

    def __init__(
        self,
        keep: Keep | None = None,
        *,
        shared: bool = False,
        clock: Callable[[], float] = time.monotonic,
        logs: Logs | None = None,
    ) -> None:
        self.keep = keep or Keep()
        self.shared = shared
        self._clock = clock
        self._logs = logs or Logs({}, self.keep, clock)
        self._names: dict[str, tuple[NameBinding, float]] = {}

    async def prepare(self) -> None:
        """Nothing to prepare."""

    async def aclose(self) -> None:
        """Nothing to close."""

    async def create(self, meta: Meta, token: str) -> Writer:
        """As ``Store.create``."""
        self._logs.make(meta, token)
        return MemoryWriter(self._logs, meta.id, token)

    async def reserve(self, meta: Meta) -> None:
        """As ``Store.reserve``."""
        self._logs.make(meta, "")

    async def adopt(self, stream_id: str, token: str) -> Writer:
        """As ``Store.adopt``."""
        log = self._logs.get(stream_id)
        log.check_open()
        if log.producer not in ("", token):
            raise Taken
        log.producer = token
        log.heartbeats += 1
        return MemoryWriter(self._logs, stream_id, token)

    async def open(self, stream_id: str) -> Follower | None:
        """As ``Store.open``."""
        log = self._logs.find(stream_id)
        return None if log is None else MemoryFollower(self._logs, log.meta)

    async def close(self, stream_id: str, end: End) -> tuple[RecordId, End]:
        """As ``Store.close``."""
        return self._logs.close(stream_id, end)

    async def renew(self, stream_id: str, viewer: str, seconds: float) -> None:
        """As ``Store.renew``."""
        self._logs.get(stream_id).renew(viewer, seconds)

    async def leave(self, stream_id: str, viewer: str) -> None:
        """As ``Store.leave``."""
        log = self._logs.find(stream_id)
        if log is not None:
            log.marks.pop(viewer, None)

    async def claim(
        self, name: str, binding: NameBinding, instead_of: NameBinding | None = None
    ) -> NameBinding | None:
        """As ``Names.claim``."""
        found = await self.lookup(name)
        if found not in (None, binding, instead_of):
            return found
        await self.name(name, binding)
        return None

    async def name(self, name: str, binding: NameBinding) -> None:
        """As ``Names.name``."""
        now = self._clock()
        # In order of their last use, so that the expired ones come first.
        self._names.pop(name, None)
        self._names[name] = (binding, now + self.keep.running + self.keep.ended)
        while (first := next(iter(self._names.items())))[1][1] <= now:
            del self._names[first[0]]

    async def lookup(self, name: str) -> NameBinding | None:
        """As ``Names.lookup``."""
        found = self._names.get(name)
        return None if found is None or found[1] <= self._clock() else found[0]
