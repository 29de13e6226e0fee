"""A stream's log in the store, as its producer writes it: what the store loses is written again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from itertools import chain, repeat
from typing import TypeVar

from ..clock import monotonic
from ..stores.contract import Batch, NameBinding, Store, Writer, new_token
from ..stores.exceptions import Fenced, Missing, Rewound, StoreError, Taken
from ..stores.health import Health
from ..stores.records import Meta, RecordId
from .ledger import Behind, Ledger
from .reader import Reader
from .tail import Tail
from .tail_batches import TailBatches

T = TypeVar("T")

_PAUSES = (0.1, 0.2, 0.5, 1.0)
"""Seconds before each repetition of a request; the last is repeated."""
_REFUSALS = (Fenced, Missing, Rewound, Taken)
"""Refusals by a store that works. Any other ``StoreError`` is a failure."""


class StoredLog:
    """The producer's access to its log. Its methods repeat a request until the store responds.

    Args:
        store: The store.
        meta: The stream's first record.
        intake: The tail that the pump fills. The store may delete records before its first one.
        held: The tail with the records that may have to be written again.
        lease: Seconds without a sign of life after which a producer counts as dead.
        health: Counts successes and failures of the store.
        reader: The position in the intake up to which records were taken to be written.
        writer: The access to the log, if it exists already.
        names: Returns the names of the stream, which are claimed again if the store has lost
            everything.
        commits: Whether records must be in the store before clients get them. A request then
            fails after a lease.
    """

    def __init__(
        self,
        store: Store,
        meta: Meta,
        intake: Tail,
        held: Tail,
        *,
        lease: float,
        health: Health,
        reader: Reader,
        writer: Writer | None,
        names: Callable[[], Iterable[tuple[str, NameBinding]]],
        commits: bool,
    ) -> None:
        self._store = store
        self._meta = meta
        self._intake = intake
        self._ledger = Ledger(held)
        self._lease = lease
        self._health = health
        self._writer = writer
        self._names = names
        self._commits = commits
        self._renewed = self._checked = monotonic()
        self.reader = reader
        self._batches = TailBatches(reader, self._ledger, lambda: intake.first, self._renewed_at)
        self.token = writer.token if writer is not None else new_token()
        self.created = asyncio.Event()
        self.degraded = bool(health.failing)

    @property
    def is_made(self) -> bool:
        """Whether the log has been made."""
        return self._writer is not None

    @property
    def is_check_due(self) -> bool:
        """Whether a third of a lease has passed since the last complete check."""
        return monotonic() - self._checked >= self._lease / 3

    async def make(self) -> None:
        """Make the log. Raises as ``write``."""
        self._writer = await self._retry(partial(self._store.create, self._meta, self.token))
        self.created.set()

    async def write(self, batch: Batch) -> None:
        """Write this batch, and before it the records that the store has lost.

        Raises:
            Fenced, Missing, Taken: The store's response.
            StoreError: The store has failed for a lease, and records must be committed first.
            Behind: The store lacks records that this process no longer holds.
        """
        self._ledger.offer(batch)
        await self._write(batch)

    async def append_from_tail(self, seconds: float) -> bool:
        """Let the store take batches itself, if it does, until a check is due.

        Returns also when no more blocks come, or when the outcome of a batch was another than
        success; it has been written then, as by ``write``.

        Args:
            seconds: Without a batch, after which a check is due; and between two checks at least.

        Returns:
            Whether a check is due.

        Raises:
            Fenced, Missing, Taken, StoreError, Behind: As ``write``.
        """
        batches = self._batches
        batches.begin(seconds, self._checked + self._lease / 3)
        await self._access.append_from(batches)
        batch, batches.unconfirmed = batches.unconfirmed, None
        if batch is not None:
            await self._write(batch)
            return False
        return batches.is_check_due

    async def check(self, *, is_due: bool | None = None) -> None:
        """Check that the store has the log as it was written; renew the lease if that is due.

        Raises:
            Fenced, Taken, Missing, Behind: As ``write``.
        """
        is_due = self.is_check_due if is_due is None else is_due
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

    async def check_end(self, own: RecordId) -> None:
        """As ``check``, for a log that this producer has ended with the record ``own``."""
        try:
            await self.check(is_due=True)
        except Fenced as error:
            if error.at != own:
                raise
            self._worked(renewed=True)

    async def leased(self) -> float:
        """Return the remaining seconds of the longest viewer lease; 0 without one.

        If the store fails, return 1.0 until one lease has passed since the last renewal, so that
        the stream is not cancelled because of a short outage.

        Raises:
            Fenced: The log has an end.
        """
        if self._writer is None:
            return 0.0
        try:
            return await self._writer.check()
        except Fenced:
            raise
        except StoreError:
            if monotonic() - self._renewed < self._lease:
                return 1.0
        return 0.0

    async def _write(self, batch: Batch | None) -> None:
        ledger = self._ledger
        target, before = ledger.offered, ledger.offered if batch is None else batch.first
        while ledger.stored < target:
            is_new = batch is not None and ledger.stored == batch.first
            part = batch if batch is not None and is_new else ledger.again(before)
            try:
                await self._retry(partial(self._access.append, part, self._intake.first))
            except Rewound as error:
                await self._record_loss_and_pause(error.last)
            except Missing:
                await self._make_again()
            else:
                ledger.took(part)

    @property
    def _access(self) -> Writer:
        if self._writer is None:
            raise Missing
        return self._writer

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
        await self.make()
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
                if self.reader.behind:
                    raise Behind from error
                if self._has_waited_a_lease:
                    raise
                # Often enough for readers that expect a sign of life within half a lease.
                await asyncio.sleep(min(next(pauses), self._lease / 6))
            else:
                self._worked(renewed=True)
                return done

    @property
    def _has_waited_a_lease(self) -> bool:
        """Whether records that must be committed first have waited for longer than a lease."""
        return self._commits and monotonic() - self._renewed > self._lease

    def _failed(self, error: StoreError) -> None:
        self.degraded = True
        self._health.failed(error)

    def _worked(self, *, renewed: bool) -> None:
        self._renewed_at(monotonic() if renewed else self._renewed)

    def _renewed_at(self, now: float) -> None:
        self.degraded = False
        self._renewed = now
        self._health.worked()
