"""The keeper: copies a stream's tail into the store as it grows, and holds the lease.

As a rule it reads the tail as a viewer does, but nobody waits for it: the caller's own connection
is fed before the store has the records ("send, then commit"), and goes on where the store fails.
Where records are to be committed first, the pump writes into an intake of its own, and the
keeper publishes what the store has taken.

A store may lose what it had taken. As long as this process holds the stream, ended or not, the
keeper compares what the store has with what it was given, and writes the rest again.
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
from ..stores.contract import Batch, Named, Store, Writer, new_token
from ..stores.exceptions import Fenced, Missing, Rewound, StoreError, Taken
from ..stores.health import Health
from ..stores.records import End, EndReason, Meta, RecordId
from .ledger import MOST, Behind, Ledger
from .reader import Reader
from .tail import Tail

T = TypeVar("T")

_log = logging.getLogger("tokenwire.store")

_LOOK = 0.5
"""Seconds of silence after which to look whether somebody else has ended the stream."""
_PAUSES = (0.1, 0.2, 0.5, 1.0)
"""Seconds before each new try; the last is repeated."""
_CHECKS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""Seconds from one look at a stream that is over to the next; the last is repeated."""
_NOT_COMMITTED = End(
    EndReason.ERROR,
    Error("store_unavailable", "The stream could not be kept.", retryable=True, status=503),
)
_ANSWERS = (Fenced, Missing, Rewound, Taken)
"""What a store that works may answer. Any other ``StoreError`` is a failure."""


class Keeper:
    """Keeps one stream's log.

    Args:
        store: Where.
        meta: The stream's first record.
        intake: What is copied.
        lease: Seconds after which a producer that is not heard of counts as dead.
        health: Told how the store does.
        on_end: Told of an end that is not the pump's: one that another process has written, with
            its id; or that nothing can be committed any more.
        public: Where to publish what has been committed.
        writer: The hold on the log, if it is there already.
        names: The names that stand for the stream, to be claimed again in a store that has
            lost everything.
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
        names: Callable[[], Iterable[tuple[str, Named]]] = lambda: (),
    ) -> None:
        self._store = store
        self._meta = meta
        self._tail = intake
        self._public = public
        self._cursor: Reader = intake.cursor()
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
        self.degraded = False

    async def run(self) -> None:
        """Keep the log, and go on after its end to see that the store keeps it.

        Returns if another has ended it, or it cannot be kept; else it is to be cancelled once
        the stream is no longer held.
        """
        try:
            with ExitStack() as stack:
                if self._public is not None:
                    self._cursor = stack.enter_context(self._tail.attach(1))
                while (own := await self._turn()) is None:
                    pass
            self.settled.set()
            await self._watch_over(own)
        except Fenced as error:
            self._on_end(error.end, error.at)
        except (ProxyError, Behind):
            self._give_up()
        except Exception as error:
            # Only the kind of a surprise is logged: its text may quote an answer.
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

    async def watched_for(self) -> float:
        """For how many seconds somebody elsewhere means to watch.

        While the store fails nobody can watch elsewhere, but a failure may pass.
        """
        if self._writer is None:
            return 0.0
        try:
            return await self._writer.look()
        except Fenced as error:
            self._on_end(error.end, error.at)
        except StoreError:
            if monotonic() - self._renewed < self._lease:
                return 1.0
        return 0.0

    async def _turn(self) -> RecordId | None:
        """Make the log, write the next batch, or look around; the end's id, once it is written."""
        if self._writer is None:
            await self._make_log()
        if self._is_check_due:
            await self._look()
        if not await self._has_room():
            return None
        batch = await self._gather()
        if batch is None:
            await self._look()
            return None
        self._ledger.offer(batch)
        await self._give(batch)
        self._wrote = monotonic()
        self._publish(batch)
        return batch.last if batch.end is not None else None

    async def _has_room(self) -> bool:
        """Wait for the slowest reader of what has been committed, as a pump does.

        The pump then waits for this keeper. Without a limit once the stream is over: what is left
        is within the intake's bounds.
        """
        public = self._public
        if public is None or self._tail.closed or not public.crowded:
            return True
        try:
            async with asyncio.timeout(min(_LOOK, self._lease / 3)):
                await public.room()
        except TimeoutError:
            await self._look()
        return not public.crowded

    def _publish(self, batch: Batch) -> None:
        if self._public is not None:
            self._public.append(batch.blocks[self._public.next - batch.first :])
        if batch.end is not None:
            (self._public or self._tail).finish(batch.end, batch.last)

    async def _gather(self) -> Batch | None:
        """The next batch; None if there is nothing to write for a while."""
        cursor, pace = self._cursor, self._store.pace
        if not await cursor.wait(min(_LOOK, self._lease / 3)):
            return None
        if cursor.position > 1:
            left = self._wrote + pace.seconds - monotonic()
            await cursor.gather(pace.blocks, left)
        if cursor.behind:
            raise Behind
        first = cursor.position
        blocks = cursor.take(MOST)
        ended = cursor.ended
        return Batch(self._tail.epoch, first, blocks, ended[1] if ended else None)

    async def _give(self, batch: Batch | None) -> None:
        """Let the store have this batch, and before it whatever it has lost."""
        ledger = self._ledger
        target, before = ledger.offered, ledger.offered if batch is None else batch.first
        while ledger.stored < target:
            is_new = batch is not None and ledger.stored == batch.first
            part = batch if batch is not None and is_new else ledger.again(before)
            try:
                await self._insist(partial(self._hold.append, part, self._tail.first))
            except Rewound as error:
                await self._note_loss(error.last)
            except Missing:
                await self._begin_anew()
            else:
                ledger.took(part)

    async def _look(self, *, is_due: bool | None = None) -> None:
        """See whether the store has the log as it was given, and renew the lease where due."""
        is_due = self._is_check_due if is_due is None else is_due
        try:
            await (self._hold.beat() if is_due else self._hold.look())
        except Missing:
            await self._begin_anew()
            await self._give(None)
        except Rewound as error:
            await self._note_loss(error.last)
            await self._give(None)
        except (Fenced, Taken):
            self._health.worked()
            raise
        except StoreError as error:
            self._failed(error)
        else:
            self._worked(renewed=is_due)
            if is_due:
                self._checked = monotonic()

    async def _watch_over(self, own: RecordId) -> None:
        """The store has the end: see that it keeps it.

        A store that goes back in time loses what came last. So the last end that this process wrote
        is looked at as often as a stream that runs; if it is lost, all others are looked at. There
        may be thousands: they take turns, so that the requests of streams that run come through.
        """
        health, age = self._health, -monotonic()
        health.newest = self._token
        for pause in chain(_CHECKS, repeat(_CHECKS[-1])):
            is_newest = health.newest == self._token
            if await health.trouble(min(pause, self._lease / 3) if is_newest else pause):
                spread = 0.0 if is_newest else self._lease / 2
                await asyncio.sleep(random.uniform(0, spread))  # noqa: S311 - no secret
            async with health.turns.take(age):
                await self._look_at_end(own)

    async def _look_at_end(self, own: RecordId) -> None:
        try:
            await self._look(is_due=True)
        except Fenced as error:
            if error.at != own:
                raise
            self._worked(renewed=True)

    @property
    def _hold(self) -> Writer:
        if self._writer is None:
            raise Missing
        return self._writer

    @property
    def _is_check_due(self) -> bool:
        return monotonic() - self._checked >= self._lease / 3

    async def _make_log(self) -> None:
        self._writer = await self._insist(partial(self._store.create, self._meta, self._token))
        self.created.set()

    async def _note_loss(self, last: RecordId) -> None:
        """The store has lost what came after this record."""
        self._ledger.went_back(last)
        self._health.lost()
        await asyncio.sleep(_PAUSES[0])  # it may go back for as long as it likes

    async def _begin_anew(self) -> None:
        """The store has lost the log, or its head: make it again.

        Not if we have been silent for so long that the log may have been ended, and forgotten.
        """
        if monotonic() - self._renewed > self._store.keep.ended:
            raise Missing
        await self._note_loss(RecordId(0, 0))
        await self._make_log()
        with suppress(StoreError):  # whoever comes with such a name does it too
            for name, meant in self._names():
                await self._store.claim(name, meant)
        try:
            await self._insist(self._hold.beat)
        except Rewound as error:
            self._ledger.went_back(error.last)  # its batches are still there
        except Missing:
            await self._begin_anew()

    async def _insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask until the store answers.

        Raises:
            Fenced, Missing, Rewound, Taken: Its answer.
            StoreError: It has failed for a lease, and nothing is published before it is kept.
        """
        pauses = chain(_PAUSES, repeat(_PAUSES[-1]))
        while True:
            try:
                done = await ask()
            except _ANSWERS:
                self._health.worked()
                raise
            except StoreError as error:
                self._failed(error)
                if self._is_too_late():
                    raise
                # Often enough for those who wait half a lease for a sign of life.
                await asyncio.sleep(min(next(pauses), self._lease / 6))
            else:
                self._worked(renewed=True)
                return done

    def _is_too_late(self) -> bool:
        if self._cursor.behind:
            raise Behind
        return self._public is not None and monotonic() - self._renewed > self._lease

    def _failed(self, error: StoreError) -> None:
        self.degraded = True
        self._health.failed(error)

    def _worked(self, *, renewed: bool) -> None:
        self.degraded = False
        self._health.worked()
        if renewed:
            self._renewed = monotonic()
