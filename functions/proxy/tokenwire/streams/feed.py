"""The feed: fills a tail from the store, for the viewers of a stream that runs elsewhere.

There is one for each stream and process, however many viewers it has here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from ..clock import monotonic
from ..dialects.protocol import as_event
from ..errors import ProxyError
from ..events import Error
from ..stores.contract import Batch, Follower
from ..stores.exceptions import Missing, StoreError
from ..stores.health import Health
from ..stores.records import End, EndReason
from .silence import Silence
from .tail import Tail

LOST = Error("lost", "The server that ran this stream has gone away.", retryable=True, status=502)
EXPIRED = Error("expired", "The stream is no longer kept.", status=410)
TRIMMED = Error("trimmed", "The stream's earlier part is no longer held.", status=410)
STALLED = Error(
    "connection_expired",
    "This connection took nothing for too long. The stream goes on: read on from the last id.",
    retryable=True,
    status=503,
)
_STALLED = 5.0
"""Seconds for which a reader that takes nothing may hold up the others of its process."""
_RETRY = 0.2
_SHORTEST = 0.02
"""Seconds between two looks at a log, where a reader waits for a point in time."""
_FAILURES = 3
"""Failed requests after which the store has failed, however long each of them took."""
_log = logging.getLogger("tokenwire.store")


class _Hole(Exception):
    """Records are missing between what was read and what came."""


class Feed:
    """Reads one log into one tail.

    A producer that is neither read nor heard of is dead after the time that ``Silence`` says:
    then the feed ends the log for it, or finds that another has.

    Args:
        follower: The place in the log.
        tail: What is filled.
        lease: Seconds.
        health: Told how the store does.
        reopen: Gives a place at the beginning of the log, to find what was read over.
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
        self._pulse = -1
        self._works = monotonic()
        self._silence = Silence(lease, self._works)
        self._gone: float | None = None
        self._failures = 0
        self.caught_up = asyncio.Event()
        self._is_first = True

    async def run(self) -> None:
        """Read until the end. Where it cannot be had, the tail is broken off, and says why."""
        try:
            while not self._tail.over:
                await self._step()
        except Missing:
            self._tail.break_off(EXPIRED)
        except ProxyError as error:
            self._tail.break_off(as_event(error))
        except Exception as error:
            # Only the kind of a surprise is logged: its text may quote an answer.
            _log.error("the feed failed: %s", type(error).__name__)
            self._tail.break_off(as_event(ProxyError("The server failed.")))
        finally:
            self.caught_up.set()

    async def _step(self) -> None:
        try:
            batches = await self._follower.read(self._wait())
            for batch in batches:
                self._take(batch)
            if not batches and self.caught_up.is_set():
                await self._listen()
        except Missing:
            await self._await_return()
            return
        except _Hole:
            await self._read_anew()
            return
        except StoreError as error:
            await self._endure(error)
            return
        self._works, self._gone, self._failures = monotonic(), None, 0
        self._health.worked()
        if batches:
            self._silence.broken(self._works)
        else:
            self.caught_up.set()
        if self._tail.crowded:
            await self._tail.make_room(_STALLED, STALLED)
            self._silence.broken(monotonic())

    def _wait(self) -> float:
        """Seconds for which to wait for the next batch."""
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
            # A log that was written anew says again what we have.
            tail.append(batch.blocks[tail.next - batch.first :])
        if batch.end is not None:
            tail.finish(batch.end, batch.last)

    async def _listen(self) -> None:
        # By the time of asking: what we hear may be old, if we were frozen since.
        asked = monotonic()
        pulse = await self._follower.pulse()
        if pulse != self._pulse:
            self._pulse = pulse
            self._silence.broken(asked)
        elif self._silence.is_death(asked):
            await self._follower.lose(End(EndReason.LOST, LOST))
        elif self._silence.wants_probe(asked):
            await self._follower.probe()
            self._silence.probed(monotonic())

    async def _await_return(self) -> None:
        """The log is gone. Its producer writes it again within a lease, if it lives.

        Raises:
            Missing: It was gone before it could be read.
        """
        now = monotonic()
        self._gone = self._gone or now
        self._silence.broken(now)
        if not self.caught_up.is_set():
            raise Missing
        if now - self._gone > self._lease:
            self._tail.break_off(LOST)
        else:
            await asyncio.sleep(min(_RETRY, self._lease / 4))

    async def _read_anew(self) -> None:
        """Something was read over: look for it from the beginning, once."""
        if self._reopened_at == self._tail.next:
            self._tail.break_off(TRIMMED)
            return
        self._reopened_at = self._tail.next
        try:
            self._follower = await self._reopen() or self._follower
        except StoreError as error:
            self._reopened_at = 0
            await self._endure(error)

    async def _endure(self, error: StoreError) -> None:
        """The store fails: wait, but not for ever, and do not take its silence for the producer's.

        Raises:
            StoreError: It has failed for a whole lease, and more than once.
        """
        self._failures += 1
        self._health.failed(error)
        if monotonic() - self._works > self._lease and self._failures >= _FAILURES:
            raise error
        await asyncio.sleep(_RETRY)
        self._silence.broken(monotonic())
