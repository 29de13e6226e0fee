"""The feed: fills a tail from the store, for the viewers of a stream that runs elsewhere.

There is one for each stream and process, however many viewers it has here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ..clock import monotonic
from ..dialects.protocol import as_event
from ..errors import FAILED, ProxyError
from ..events import Error
from ..stores.contract import Batch, Follower
from ..stores.exceptions import Missing, StoreError
from ..stores.health import Health
from ..stores.records import End, EndReason
from .reader import trimmed
from .silence import Silence
from .tail import Tail

LOST = Error("lost", "The server that ran this stream has gone away.", retryable=True, status=502)
EXPIRED = Error("expired", "The stream is no longer kept.", status=410)
STALLED = Error(
    "connection_expired",
    "The client read nothing for too long. The stream continues: resume after the last event's id.",
    retryable=True,
    status=503,
)
_STALLED = 5.0
"""Seconds for which a reader that takes nothing may delay the others of its process."""
_RETRY = 0.2
_SHORTEST = 0.02
"""Seconds between two reads of a log, at least, while waiting for a point in time."""
_FAILURES = 3
"""Failed requests after which the store has failed, however long each of them took."""
_log = logging.getLogger("tokenwire.store")


class _Hole(Exception):
    """Records are missing between those read before and those read now."""


class Feed:
    """Reads one log into one tail.

    A producer without a sign of life is considered dead after the time that ``Silence`` defines:
    then the feed ends the log in its place, or finds that another process has.

    Args:
        follower: The position in the log.
        tail: The tail to fill.
        lease: Seconds without a sign of life after which a producer counts as dead.
        health: Counts successes and failures of the store.
        reopen: Returns a position at the start of the log, to find records that were skipped.
    """

    def __init__(
        self,
        follower: Follower,
        tail: Tail,
        lease: float,
        health: Health,
        reopen: Callable[[], Awaitable[Follower | None]],
    ) -> None:
        self._follower = follower
        self._tail = tail
        self._lease = lease
        self._health = health
        self._reopen = reopen
        self._reopened_at = 0
        self._heartbeat = -1
        self._works = monotonic()
        self._silence = Silence(lease, self._works)
        self._gone: float | None = None
        self._failures = 0
        self.caught_up = asyncio.Event()
        self._is_first = True

    async def run(self) -> None:
        """Read until the end. If it cannot be read, the tail is broken off with the reason."""
        try:
            while not self._tail.over:
                await self._step()
        except Missing:
            self._tail.break_off(EXPIRED)
        except ProxyError as error:
            self._tail.break_off(as_event(error))
        except Exception as error:
            # Only the type of an unexpected error is logged: its text may quote a response.
            _log.error("the feed failed: %s", type(error).__name__)
            self._tail.break_off(as_event(ProxyError(FAILED)))
        finally:
            self.caught_up.set()

    async def _step(self) -> None:
        try:
            batches = await self._follower.read(self._wait())
            for batch in batches:
                self._take(batch)
            if not batches and self.caught_up.is_set():
                await self._check_producer()
        except Missing:
            await self._await_return()
            return
        except _Hole:
            await self._read_again()
            return
        except StoreError as error:
            await self._wait_for_store(error)
            return
        self._works, self._gone, self._failures = monotonic(), None, 0
        self._health.worked()
        if batches:
            self._silence.reset(self._works)
        else:
            self.caught_up.set()
        if self._tail.exceeds_window:
            await self._tail.make_room(_STALLED, STALLED)
            self._silence.reset(monotonic())

    def _wait(self) -> float:
        """Return the seconds to wait for the next batch."""
        if not self.caught_up.is_set():
            return 0.0
        step = max(_SHORTEST, self._silence.next_step(monotonic()))
        return min(1.0, self._lease / 4, step)

    def _take(self, batch: Batch) -> None:
        tail = self._tail
        if batch.epoch == tail.epoch:
            if self._is_first:
                tail.begin_at(batch.first)
                self._is_first = False
            if batch.first > tail.next:
                raise _Hole
            # A log that was written again repeats records that are here already.
            tail.append(batch.blocks[tail.next - batch.first :])
        if batch.end is not None:
            tail.finish(batch.end, batch.last)

    async def _check_producer(self) -> None:
        # The time before the request: the response may be old, if the process was frozen since.
        sent = monotonic()
        heartbeat = await self._follower.producer_heartbeat()
        if heartbeat != self._heartbeat:
            self._heartbeat = heartbeat
            self._silence.reset(sent)
        elif self._silence.is_death(sent):
            await self._follower.end_as_lost(End(EndReason.LOST, LOST))
        elif self._silence.wants_probe(sent):
            await self._follower.probe_write()
            self._silence.probed(monotonic())

    async def _await_return(self) -> None:
        """Wait for a log that is gone: its producer, if alive, writes it again within a lease.

        Raises:
            Missing: It was gone before it could be read.
        """
        now = monotonic()
        self._gone = self._gone or now
        self._silence.reset(now)
        if not self.caught_up.is_set():
            raise Missing
        if now - self._gone > self._lease:
            self._tail.break_off(LOST)
        else:
            await asyncio.sleep(min(_RETRY, self._lease / 4))

    async def _read_again(self) -> None:
        """Read from the start of the log, once: records were skipped."""
        if self._reopened_at == self._tail.next:
            self._tail.break_off(as_event(trimmed()))
            return
        self._reopened_at = self._tail.next
        try:
            self._follower = await self._reopen() or self._follower
        except StoreError as error:
            self._reopened_at = 0
            await self._wait_for_store(error)

    async def _wait_for_store(self, error: StoreError) -> None:
        """Wait while the store fails; its silence is not counted as the producer's.

        Raises:
            StoreError: It has failed for a whole lease, and more than once.
        """
        self._failures += 1
        self._health.failed(error)
        if monotonic() - self._works > self._lease and self._failures >= _FAILURES:
            raise error
        await asyncio.sleep(_RETRY)
        self._silence.reset(monotonic())
