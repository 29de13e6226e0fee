"""A producer's and a reader's place in a log of a memory store."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress

from ..contract import Batch, BatchSource, alone
from ..exceptions import Rewound, Taken
from ..records import End, Meta, RecordId
from ..viewer_leases import ViewerLeases
from .logs import NOTHING, Log, Logs


class MemoryWriter:
    """As ``contract.Writer``."""

    def __init__(self, logs: Logs, stream_id: str, token: str, last: RecordId = NOTHING) -> None:
        self.id = stream_id
        self.token = token
        self.last = last
        self._logs = logs
        self._leases = ViewerLeases()

    async def append(self, batch: Batch, floor: int = 1) -> None:
        """As ``Writer.append``. The blocks are shared with the caller, not copied."""
        log = self._own_log()
        is_repeated = bool(log.batches) and log.batches[-1] == batch
        if not is_repeated:
            self._check(log)
            if not batch.follows(log.last):
                raise Rewound(log.last)
            log.heartbeats += 1
            log.add(batch)
        self.last = batch.last
        if batch.end is not None:
            self._logs.ended(log)

    def append_from(self, source: BatchSource) -> Awaitable[None]:
        """As ``Writer.append_from``."""
        del source
        return alone()

    async def heartbeat(self) -> None:
        """As ``Writer.heartbeat``."""
        log = self._own_log()
        self._check(log)
        log.heartbeats += 1

    async def check(self) -> float:
        """As ``Writer.check``."""
        log = self._own_log()
        self._check(log)
        return self._leases.update(log.marks)

    def _own_log(self) -> Log:
        log = self._logs.get(self.id)
        if log.producer != self.token:
            raise Taken
        return log

    def _check(self, log: Log) -> None:
        """Raise ``Fenced`` if the log is over, ``Rewound`` if it does not end where we left it."""
        log.check_open()
        if log.last != self.last:
            self.last = log.last
            raise Rewound(log.last)


class MemoryFollower:
    """As ``contract.Follower``."""

    def __init__(self, logs: Logs, meta: Meta, place: RecordId = NOTHING) -> None:
        self.meta = meta
        self.place = place
        self._logs = logs

    async def read(self, wait: float) -> list[Batch]:
        """As ``Follower.read``. Of a log that is gone there is nothing to read."""
        log = self._logs.find(self.meta.id) or Log(self.meta, "")
        if not log.after(self.place) and wait > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await log.changed.wait()
        found = log.after(self.place)
        if found:
            self.place = found[-1].last
        return found

    async def producer_heartbeat(self) -> int:
        """As ``Follower.producer_heartbeat``."""
        return self._logs.get(self.meta.id).heartbeats

    async def probe_write(self) -> None:
        """As ``Follower.probe_write``. Memory takes every write."""
        self._logs.get(self.meta.id)

    async def end_as_lost(self, end: End) -> None:
        """As ``Follower.end_as_lost``."""
        if not self._logs.get(self.meta.id).after(self.place):
            self._logs.close(self.meta.id, end)
