"""The keeper: copies a stream's tail into the store as it grows, and holds the lease.

By default it reads the tail through an unattached reader, for which the pump does not wait: the
caller gets blocks before the store has them ("send, then commit"), and continues to get them if the
store fails. If records are to be committed first, the pump writes into a separate intake, and the
keeper publishes what the store has accepted.

A store may lose records that it has accepted. While this process holds the stream, ended or not,
the keeper checks what the store has; ``StoredLog`` writes the rest again.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from itertools import chain, repeat

from ..clock import monotonic
from ..errors import ProxyError
from ..events import Error
from ..stores.contract import Batch, NameBinding, Store, Writer
from ..stores.exceptions import Fenced
from ..stores.health import Health
from ..stores.records import End, EndReason, Meta, RecordId
from .ledger import MOST, Behind
from .reader import Reader
from .stored_log import StoredLog
from .tail import Tail

_log = logging.getLogger("tokenwire.store")

_CHECK_INTERVAL = 0.5
"""Seconds without a block after which to check whether another process has ended the stream."""
_CHECKS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Seconds between two checks of a stream that has ended; the last is repeated."""
_NOT_COMMITTED = End(
    EndReason.ERROR,
    Error("store_unavailable", "The stream could not be kept.", retryable=True, status=503),
)


class Keeper:
    """Writes one stream's log to a store.

    Args:
        store: The store.
        meta: The stream's first record.
        intake: The tail that is copied.
        lease: Seconds without a sign of life after which a producer counts as dead.
        health: Counts successes and failures of the store.
        on_end: Called with an end that is not the pump's. If another process has written it, the
            second argument is its id; if nothing can be committed any more, it is None.
        public: The tail to publish in what has been committed.
        writer: The access to the log, if it exists already.
        names: Returns the names of the stream, which are claimed again if the store has lost
            everything.
    """

    def __init__(
        self,
        store: Store,
        meta: Meta,
        intake: Tail,
        *,
        lease: float,
        health: Health,
        on_end: Callable[[End, RecordId | None], None],
        public: Tail | None = None,
        writer: Writer | None = None,
        names: Callable[[], Iterable[tuple[str, NameBinding]]] = lambda: (),
    ) -> None:
        self._tail = intake
        self._public = public
        self._reader: Reader = intake.unattached_reader()
        self._store = store
        self._lease = lease
        self._health = health
        self._on_end = on_end
        self._stored = StoredLog(
            store,
            meta,
            intake,
            public or intake,
            lease=lease,
            health=health,
            reader=self._reader,
            writer=writer,
            names=names,
            commits=public is not None,
        )
        self._wrote = monotonic()
        self.created = self._stored.created
        self.settled = asyncio.Event()

    @property
    def degraded(self) -> bool:
        """Whether the store lacks records that it should have by now."""
        return self._stored.degraded

    async def run(self) -> None:
        """Write the log, and after its end check that the store still has it.

        Returns when another process has ended the log or it cannot be written. Otherwise runs
        until its task is cancelled.
        """
        try:
            with ExitStack() as stack:
                if self._public is not None:
                    self._reader = stack.enter_context(self._tail.attach(1))
                    self._stored.reader = self._reader
                while (own := await self._turn()) is None:
                    pass
            self.settled.set()
            await self._check_ended(own)
        except Fenced as error:
            self._on_end(error.end, error.at)
        except (ProxyError, Behind):
            self._give_up()
        except Exception as error:
            # Only the type of an unexpected error is logged: its text may quote a response.
            _log.error("the keeper failed: %s", type(error).__name__)
            self._give_up()
        finally:
            self.created.set()
            self.settled.set()

    def _give_up(self) -> None:
        self._stored.degraded = True
        if self._public is not None:
            self._on_end(_NOT_COMMITTED, None)
        elif self._tail.offered is not None:
            self._tail.finish(self._tail.offered)

    async def leased(self) -> float:
        """Return the remaining seconds of the longest viewer lease, as ``StoredLog.leased``."""
        try:
            return await self._stored.leased()
        except Fenced as error:
            self._on_end(error.end, error.at)
            return 0.0

    async def _turn(self) -> RecordId | None:
        """Make the log, write the next batch, or check; return the end's id once it is written."""
        if not self._stored.is_made:
            await self._stored.make()
        if self._stored.is_check_due:
            await self._stored.check()
        if not await self._wait_for_readers():
            return None
        if self._may_follow and await self._stored.append_from_tail(self._check_interval):
            await self._stored.check()
            return None
        batch = await self._next_batch()
        if batch is None:
            await self._stored.check()
            return None
        await self._stored.write(batch)
        self._wrote = monotonic()
        self._publish(batch)
        return batch.last if batch.end is not None else None

    @property
    def _may_follow(self) -> bool:
        """Whether the store may take batches itself: for no first block, and no end."""
        return self._public is None and self._reader.position > 1 and not self._tail.closed

    @property
    def _check_interval(self) -> float:
        return min(_CHECK_INTERVAL, self._lease / 3)

    async def _wait_for_readers(self) -> bool:
        """Wait for the slowest reader of what has been committed, as a pump does.

        The pump then waits for this keeper. Once the stream is over there is no limit: the rest
        is within the intake's bounds.
        """
        public = self._public
        if public is None or self._tail.closed or not public.exceeds_window:
            return True
        try:
            async with asyncio.timeout(self._check_interval):
                await public.room()
        except TimeoutError:
            await self._stored.check()
        return not public.exceeds_window

    def _publish(self, batch: Batch) -> None:
        if self._public is not None:
            self._public.append(batch.blocks[self._public.next - batch.first :])
        if batch.end is not None:
            (self._public or self._tail).finish(batch.end, batch.last)

    async def _next_batch(self) -> Batch | None:
        """Return the next batch; None if there is nothing to write for some time."""
        reader, pace = self._reader, self._store.pace
        if not await reader.wait(self._check_interval):
            return None
        if reader.position > 1:
            left = self._wrote + pace.seconds - monotonic()
            await reader.gather(pace.blocks, left)
        if reader.behind:
            raise Behind
        first = reader.position
        blocks = reader.take(MOST)
        ended = reader.ended
        return Batch(self._tail.epoch, first, blocks, ended[1] if ended else None)

    async def _check_ended(self, own: RecordId) -> None:
        """Check that the store keeps the end.

        A store that goes back in time loses its newest records. So the newest end of this process
        is checked as often as a running stream; if it is lost, all others are checked. There may be
        thousands: few are checked at once, so that running streams are not delayed.
        """
        health, priority = self._health, -monotonic()
        health.newest = self._stored.token
        for pause in chain(_CHECKS, repeat(_CHECKS[-1])):
            is_newest = health.newest == self._stored.token
            if await health.trouble(min(pause, self._lease / 3) if is_newest else pause):
                spread = 0.0 if is_newest else self._lease / 2
                await asyncio.sleep(random.uniform(0, spread))  # noqa: S311 - no secret
            async with health.slots.take(priority):
                await self._stored.check_end(own)
