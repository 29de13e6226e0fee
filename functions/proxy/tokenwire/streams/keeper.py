"""The keeper: copies a stream's tail into the store as it grows, and holds the lease.

As a rule it reads the tail as a viewer does, but nobody waits for it: the caller's own connection
is fed before the store has the records ("send, then commit"), and goes on where the store fails.
Where records are to be committed first, the pump writes into an intake of its own, and the
keeper publishes what the store has taken.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from itertools import chain, repeat
from time import monotonic, time
from typing import TypeVar

from ..errors import ProxyError
from ..events import Error
from .health import Health
from .log import End, EndReason, Meta, RecordId
from .store import Batch, Fenced, Missing, Store, StoreError, Taken, Writer, new_token
from .tail import Reader, Tail

T = TypeVar("T")

_log = logging.getLogger("tokenwire.store")

_LOOK = 0.5
"""Seconds of silence after which to look whether somebody else has ended the stream."""
_MOST = 256 * 1024
"""Bytes that go into one batch, about."""
_PAUSES = (0.1, 0.2, 0.5, 1.0)
"""Seconds before each new try; the last is repeated."""
_NOT_COMMITTED = End(
    EndReason.ERROR,
    Error("store_unavailable", "The stream could not be kept.", retryable=True, status=503),
)
_LAST_TRIES = 5.0
"""Seconds without a word from the store after which the end of a stream is not offered again."""


class Behind(Exception):
    """The store failed for so long that the tail does not hold all it should have had."""


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
    ) -> None:
        self._store = store
        self._meta = meta
        self._tail = intake
        self._public = public
        self._cursor: Reader = intake.cursor()
        self._lease = lease
        self._health = health
        self._on_end = on_end
        self._writer = writer
        self._token = new_token()
        self._wrote = self._renewed = monotonic()
        self.created = asyncio.Event()
        self.degraded = False

    async def run(self) -> None:
        """Keep the log until it has an end, or cannot be kept."""
        try:
            with ExitStack() as stack:
                if self._public is not None:
                    self._cursor = stack.enter_context(self._tail.attach(1))
                while not await self._turn():
                    pass
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

    def _give_up(self) -> None:
        self.degraded = True
        if self._public is not None:
            self._on_end(_NOT_COMMITTED, None)
        elif self._tail.offered is not None:
            self._tail.finish(self._tail.offered)

    async def watched_until(self) -> float:
        """Until when somebody elsewhere means to watch, in Unix seconds.

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
                return time() + 1.0
        return 0.0

    async def _turn(self) -> bool:
        """Make the log, write the next batch, or look around; whether the end is written."""
        writer = self._writer or await self._create()
        if not await self._has_room(writer):
            return False
        batch = await self._gather()
        if batch is None:
            await self._idle(writer)
            return False
        try:
            await self._insist(lambda: writer.append(batch, self._tail.first))
        except Missing:
            await self._begin_anew()
            return False
        self._wrote = monotonic()
        self._publish(batch)
        return batch.end is not None

    async def _has_room(self, writer: Writer) -> bool:
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
            await self._idle(writer)
        return not public.crowded

    def _publish(self, batch: Batch) -> None:
        if self._public is not None:
            self._public.append(batch.blocks[self._public.next - batch.first :])
        if batch.end is not None:
            (self._public or self._tail).finish(batch.end, batch.last)

    async def _create(self) -> Writer:
        self._writer = await self._insist(lambda: self._store.create(self._meta, self._token))
        self.created.set()
        return self._writer

    async def _begin_anew(self) -> None:
        """The store has lost the log: it restarted empty, say. Write down all that is held.

        Not if we have been silent for a lease: then the log may have been ended, and forgotten.
        """
        if monotonic() - self._renewed > self._lease:
            raise Missing
        self._writer = None
        self._cursor.position = self._tail.first

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
        blocks = cursor.take(_MOST)
        ended = cursor.ended
        return Batch(self._tail.epoch, first, blocks, ended[1] if ended else None)

    async def _idle(self, writer: Writer) -> None:
        is_due = monotonic() - self._renewed >= self._lease / 3
        try:
            await (writer.beat() if is_due else writer.look())
        except Missing:
            await self._begin_anew()
        except (Fenced, Taken):
            raise
        except StoreError as error:
            self._failed(error)
        else:
            self._worked(renewed=is_due)

    async def _insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask until it is done.

        Raises:
            Fenced, Missing, Taken: It cannot be.
            StoreError: The stream is over, and the store still fails.
        """
        pauses = chain(_PAUSES, repeat(_PAUSES[-1]))
        while True:
            try:
                done = await ask()
            except (Fenced, Missing, Taken):
                raise
            except StoreError as error:
                self._failed(error)
                if self._is_too_late():
                    raise
                await asyncio.sleep(next(pauses))
            else:
                self._worked(renewed=True)
                return done

    def _is_too_late(self) -> bool:
        if self._cursor.behind:
            raise Behind
        silent = monotonic() - self._renewed
        if self._public is not None and silent > self._lease:
            return True
        return self._tail.closed and silent > _LAST_TRIES

    def _failed(self, error: StoreError) -> None:
        self.degraded = True
        self._health.failed(error)

    def _worked(self, *, renewed: bool) -> None:
        self.degraded = False
        self._health.worked()
        if renewed:
            self._renewed = monotonic()
