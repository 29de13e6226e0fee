"""The batches that a store takes of a running stream, without a task of that stream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..clock import monotonic
from ..stores.contract import Batch
from .ledger import MOST, Ledger
from .reader import Reader


class TailBatches:
    """As ``stores.contract.BatchSource``: the batches of one stream, from its tail.

    Args:
        reader: The position of the next batch in the log.
        ledger: Records the batches.
        floor: Returns the first record that the store has to keep.
        worked: Called with the time when the store has confirmed a batch.
    """

    __slots__ = (
        "_check_at",
        "_floor",
        "_is_open",
        "_ledger",
        "_reader",
        "_silent_at",
        "_timer",
        "_wait",
        "_worked",
        "unconfirmed",
    )

    def __init__(
        self,
        reader: Reader,
        ledger: Ledger,
        floor: Callable[[], int],
        worked: Callable[[float], None],
    ) -> None:
        self._reader = reader
        self._ledger = ledger
        self._floor = floor
        self._worked = worked
        self._wait = self._silent_at = self._check_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._is_open = False
        self.unconfirmed: Batch | None = None
        """The batch that was taken, until the store confirms it."""

    def begin(self, wait: float, check_at: float) -> None:
        """Let the store take batches until ``check_at``, or until it confirms none for ``wait``.

        ``check_at`` is postponed if it is less than ``wait`` seconds away: the last check may have
        failed, and the next one must not follow at once.
        """
        self._wait = wait
        self._silent_at = monotonic() + wait
        self._check_at = max(check_at, self._silent_at)
        self._is_open = True

    @property
    def is_check_due(self) -> bool:
        """Whether a check is due: ``check_at`` or ``wait`` has passed."""
        return monotonic() >= min(self._silent_at, self._check_at)

    async def follow(self, due: Callable[[object], bool]) -> None:
        """As ``BatchSource.follow``."""
        try:
            self._arm()
            if self._reader.has_more:
                due(None)
            await self._reader.listen(due)
        finally:
            self._is_open = False
            if self._timer is not None:
                self._timer.cancel()

    def take(self) -> tuple[Batch, int] | None:
        """As ``BatchSource.take``."""
        reader = self._reader
        first = reader.position
        if not self._is_open or first >= reader.blocks.next:
            return None
        if first < reader.blocks.first or first != self._ledger.stored:
            self.stop()  # the keeper notes that it is behind, or writes what the store lacks
            return None
        batch = Batch(reader.epoch, first, reader.take(MOST))
        self._ledger.offer(batch)
        self.unconfirmed = batch
        return batch, self._floor()

    def took(self, batch: Batch) -> bool:
        """As ``BatchSource.took``."""
        self.unconfirmed = None
        self._ledger.took(batch)
        now = monotonic()
        self._silent_at = now + self._wait
        self._worked(now)
        return self._reader.has_more

    def stop(self) -> None:
        """As ``BatchSource.stop``."""
        self._is_open = False
        self._reader.wake()

    def _arm(self) -> None:
        # A timer may fire a little early. The next one then fires an eighth of ``wait`` later, not
        # at once again.
        due = max(min(self._silent_at, self._check_at), monotonic() + self._wait / 8)
        self._timer = asyncio.get_running_loop().call_at(due, self._lapse)

    def _lapse(self) -> None:
        if self.is_check_due:
            self.stop()
        else:
            self._arm()
