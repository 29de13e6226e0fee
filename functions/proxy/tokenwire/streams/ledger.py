"""The ledger: the batches that a producer has sent to its store, to be sent again if lost.

A store that has lost records gets them again in the same batches. So an id, or a place in a
table, never stands for two contents, and a request that arrives late does no harm.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right

from ..stores.contract import Batch
from ..stores.records import RecordId
from .tail import Tail

MOST = 256 * 1024
"""Bytes that go into one batch, about."""
_TIDY = 1024


class Behind(Exception):
    """The store lacks records that are no longer held here: the log cannot be completed."""


class Ledger:
    """The batches of one stream.

    Args:
        held: The tail that holds the records.
    """

    def __init__(self, held: Tail) -> None:
        self._held = held
        self._cuts = array("Q")  # the first sequence number of each batch
        self.stored = 1
        """The first sequence number that the store does not have, as far as is known."""
        self.offered = 1
        """The first sequence number that was never offered to it."""

    def offer(self, batch: Batch) -> None:
        """Record a batch that is about to be written for the first time."""
        self._cuts.append(batch.first)
        self.offered = batch.next
        if len(self._cuts) % _TIDY == 0:
            del self._cuts[: bisect_right(self._cuts, self._held.first) - 1]

    def took(self, batch: Batch) -> None:
        """Record that the store has this batch, and all before it."""
        self.stored = batch.next

    def went_back(self, last: RecordId) -> None:
        """Record that the store has nothing after this record.

        Raises:
            Behind: What comes next is no longer held.
        """
        if 0 < last.seq < self._held.first - 1:
            raise Behind
        # If it has nothing at all, it gets what there is.
        self.stored = max(last.seq + 1, self._held.first)

    def again(self, limit: int) -> Batch:
        """Return the next batch that the store lacks, as it was sent; of records before ``limit``.

        Raises:
            Behind: It is no longer held.
        """
        held, first = self._held, self.stored
        reader = held.unattached_reader()
        reader.position = first
        if reader.behind:
            raise Behind
        cut = self._cut_after(first, limit)
        blocks = reader.take(MOST)[: cut - first]
        is_last = held.end is not None and first + len(blocks) == held.next < cut
        return Batch(held.epoch, first, blocks, held.end if is_last else None)

    def _cut_after(self, first: int, limit: int) -> int:
        index = bisect_right(self._cuts, first)
        return min(self._cuts[index], limit) if index < len(self._cuts) else limit
