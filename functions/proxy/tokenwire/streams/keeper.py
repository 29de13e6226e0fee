"""The keeper: copies a stream's tail into the store as it grows, and holds the lease.

By default it reads the tail through an unattached reader, for which the pump does not wait: the
caller gets blocks before the store has them ("send, then commit"), and continues to get them if the
store fails. If records are to be committed first, the pump writes into a separate intake, and the
keeper publishes what the store has accepted.

A store may lose records that it has accepted. While this process holds the stream, ended or not,
the keeper compares what the store has with what was written, and writes the rest again.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack, suppress
from functools import partial
from itertools import chain, repeat
from typing import TypeVar

from ..clock import monotonic
from ..errors import ProxyError
from ..events import Error
from ..stores.contract import Batch, NameBinding, Store, Writer, new_token
from ..stores.exceptions import Fenced, Missing, Rewound, StoreError, Taken
from ..stores.health import Health
from ..stores.records import End, EndReason, Meta, RecordId
from .ledger import MOST, Behind, Ledger
from .reader import Reader
from .tail import Tail

T = TypeVar("T")

_log = logging.getLogger("tokenwire.store")

_CHECK_INTERVAL = 0.5
"""Seconds without a block after which to check whether another process has ended the stream."""
_PAUSES = (0.1, 0.2, 0.5, 1.0)
"""Seconds before each repetition of a request; the last is repeated."""
_CHECKS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Seconds between two checks of a stream that has ended; the last is repeated."""
_NOT_COMMITTED = End(
    EndReason.ERROR,
    Error("store_unavailable", "The stream could not be kept.", retryable=True, status=503),
)
_REFUSALS = (Fenced, Missing, Rewound, Taken)
"""Refusals by a store that works. Any other ``StoreError`` is a failure."""


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
        self._store = store
        self._meta = meta
        self._tail = intake
        self._public = public
        self._reader: Reader = intake.unattached_reader()
        self._ledger = Ledger(public or intake)
        self._lease = lease
        self._health = health
        self._on_end = on_end
        self._writer = writer
        self._token = writer.token if writer is not None else new_token()
        self._names = names
        self._wrote = self._renewed = self._checked = monotonic()
        self.created = asyncio.Event()
        self.settled = asyncio.Event()
        self.degraded = bool(health.failing)

    async def run(self) -> None:
        """Write the log, and after its end check that the store still has it.

        Returns when another process has ended the log or it cannot be written. Otherwise runs
        until its task is cancelled.
        """
        try:
            with ExitStack() as stack:
                if self._public is not None:
                    self._reader = stack.enter_context(self._tail.attach(1))
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
        self.degraded = True
        if self._public is not None:
            self._on_end(_NOT_COMMITTED, None)
        elif self._tail.offered is not None:
            self._tail.finish(self._tail.offered)

    async def leased(self) -> float:
        """Return the remaining seconds of the longest viewer lease; 0 without one.

        If the store fails, return 1.0 until one lease has passed since the last renewal, so that
        the stream is not cancelled because of a short outage.
        """
        if self._writer is None:
            return 0.0
        try:
            return await self._writer.check()
        except Fenced as error:
            self._on_end(error.end, error.at)
        except StoreError:
            if monotonic() - self._renewed < self._lease:
                return 1.0
        return 0.0

    async def _turn(self) -> RecordId | None:
        """Make the log, write the next batch, or check; return the end's id once it is written."""
        if self._writer is None:
            await self._make_log()
        if self._is_check_due:
            await self._check_log()
        if not await self._wait_for_readers():
            return None
        batch = await self._next_batch()
        if batch is None:
            await self._check_log()
            return None
        self._ledger.offer(batch)
        await self._write(batch)
        self._wrote = monotonic()
        self._publish(batch)
        return batch.last if batch.end is not None else None

    async def _wait_for_readers(self) -> bool:
        """Wait for the slowest reader of what has been committed, as a pump does.

        The pump then waits for this keeper. Once the stream is over there is no limit: the rest
        is within the intake's bounds.
        """
        public = self._public
        if public is None or self._tail.closed or not public.exceeds_window:
            return True
        try:
            async with asyncio.timeout(min(_CHECK_INTERVAL, self._lease / 3)):
                await public.room()
        except TimeoutError:
            await self._check_log()
        return not public.exceeds_window

    def _publish(self, batch: Batch) -> None:
        if self._public is not None:
            self._public.append(batch.blocks[self._public.next - batch.first :])
        if batch.end is not None:
            (self._public or self._tail).finish(batch.end, batch.last)

    async def _next_batch(self) -> Batch | None:
        """Return the next batch; None if there is nothing to write for some time."""
        reader, pace = self._reader, self._store.pace
        if not await reader.wait(min(_CHECK_INTERVAL, self._lease / 3)):
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

    async def _write(self, batch: Batch | None) -> None:
        """Write this batch, and before it the records that the store has lost."""
        ledger = self._ledger
        target, before = ledger.offered, ledger.offered if batch is None else batch.first
        while ledger.stored < target:
            is_new = batch is not None and ledger.stored == batch.first
            part = batch if batch is not None and is_new else ledger.again(before)
            try:
                await self._retry(partial(self._access.append, part, self._tail.first))
            except Rewound as error:
                await self._record_loss_and_pause(error.last)
            except Missing:
                await self._make_again()
            else:
                ledger.took(part)

    async def _check_log(self, *, is_due: bool | None = None) -> None:
        """Check that the store has the log as it was written; renew the lease if that is due."""
        is_due = self._is_check_due if is_due is None else is_due
        try:
            await (self._access.heartbeat() if is_due else self._access.check())
        except Missing:
            await self._make_again()
            await self._write(None)
        except Rewound as error:
            await self._record_loss_and_pause(error.last)
            await self._write(None)
        except (Fenced, Taken):
            self._health.worked()
            raise
        except StoreError as error:
            self._failed(error)
        else:
            self._worked(renewed=is_due)
            if is_due:
                self._checked = monotonic()

    async def _check_ended(self, own: RecordId) -> None:
        """Check that the store keeps the end.

        A store that goes back in time loses its newest records. So the newest end of this process
        is checked as often as a running stream; if it is lost, all others are checked. There may be
        thousands: few are checked at once, so that running streams are not delayed.
        """
        health, priority = self._health, -monotonic()
        health.newest = self._token
        for pause in chain(_CHECKS, repeat(_CHECKS[-1])):
            is_newest = health.newest == self._token
            if await health.trouble(min(pause, self._lease / 3) if is_newest else pause):
                spread = 0.0 if is_newest else self._lease / 2
                await asyncio.sleep(random.uniform(0, spread))  # noqa: S311 - no secret
            async with health.turns.take(priority):
                await self._check_end(own)

    async def _check_end(self, own: RecordId) -> None:
        try:
            await self._check_log(is_due=True)
        except Fenced as error:
            if error.at != own:
                raise
            self._worked(renewed=True)

    @property
    def _access(self) -> Writer:
        if self._writer is None:
            raise Missing
        return self._writer

    @property
    def _is_check_due(self) -> bool:
        return monotonic() - self._checked >= self._lease / 3

    async def _make_log(self) -> None:
        self._writer = await self._retry(partial(self._store.create, self._meta, self._token))
        self.created.set()

    async def _record_loss_and_pause(self, last: RecordId) -> None:
        """Record that the store has lost the records after this one, and pause."""
        self._ledger.went_back(last)
        self._health.lost()
        await asyncio.sleep(_PAUSES[0])  # the store may lose records repeatedly

    async def _make_again(self) -> None:
        """Make the log again: the store has lost it, or its head.

        Raises:
            Missing: The last renewal is older than ``keep.ended``: another process may have ended
                the log and the store expired it.
        """
        if monotonic() - self._renewed > self._store.keep.ended:
            raise Missing
        await self._record_loss_and_pause(RecordId(0, 0))
        await self._make_log()
        with suppress(StoreError):  # the next request with such a name repeats it
            for name, binding in self._names():
                await self._store.claim(name, binding)
        try:
            await self._retry(self._access.heartbeat)
        except Rewound as error:
            self._ledger.went_back(error.last)  # its batches are still there
        except Missing:
            await self._make_again()

    async def _retry(self, request: Callable[[], Awaitable[T]]) -> T:
        """Repeat a request until the store responds.

        Raises:
            Fenced, Missing, Rewound, Taken: The store's response.
            StoreError: The store has failed for a lease, and records must be committed first.
            Behind: The store lacks records that this process no longer holds.
        """
        pauses = chain(_PAUSES, repeat(_PAUSES[-1]))
        while True:
            try:
                done = await request()
            except _REFUSALS:
                self._health.worked()
                raise
            except StoreError as error:
                self._failed(error)
                self._check_is_held()
                if self._has_waited_a_lease:
                    raise
                # Often enough for readers that expect a sign of life within half a lease.
                await asyncio.sleep(min(next(pauses), self._lease / 6))
            else:
                self._worked(renewed=True)
                return done

    def _check_is_held(self) -> None:
        """Check that what the store lacks is still held.

        Raises:
            Behind: It is not.
        """
        if self._reader.behind:
            raise Behind

    @property
    def _has_waited_a_lease(self) -> bool:
        """Whether records that must be committed first have waited for longer than a lease."""
        return self._public is not None and monotonic() - self._renewed > self._lease

    def _failed(self, error: StoreError) -> None:
        self.degraded = True
        self._health.failed(error)

    def _worked(self, *, renewed: bool) -> None:
        self.degraded = False
        self._health.worked()
        if renewed:
            self._renewed = monotonic()
