"""Silence: for how long a reader has not heard of a log's producer, and what that proves."""

from __future__ import annotations

import math


class Silence:
    """Decides when a producer counts as dead, by the reader's own clock.

    A store that takes no writes makes every producer silent. So silence proves nothing by itself:
    a producer is dead if it was silent for a whole lease in which the store took this reader's own
    writes, one after the other without a gap. The first of them is due after half a lease; a store
    that has just come back therefore gives its producer a whole lease, whoever writes first.

    Times are seconds of one clock. ``asked`` is the time before a request, ``now`` one after it.

    Args:
        lease: Seconds.
        now: The present time.
    """

    def __init__(self, lease: float, now: float) -> None:
        self._lease = lease
        self._since = now
        self._proven: float | None = None
        self._probed = now

    def broken(self, asked: float) -> None:
        """The producer was heard of, or the store failed, or nobody listened: count anew."""
        self._since, self._proven = asked, None

    def wants_probe(self, asked: float) -> bool:
        """Whether it has lasted so long that the store has to be probed."""
        return asked - self._since > self._lease / 2

    def probed(self, now: float) -> None:
        """The store has taken a write of this reader's own; it was silent meanwhile."""
        if self._proven is None or self._has_gap(now):
            self._proven = now
        self._probed = now

    def is_death(self, asked: float) -> bool:
        """Whether a producer that was not heard of by a request of this time is dead."""
        lasted = self._proven is not None and asked - self._proven > self._lease
        return lasted and not self._has_gap(asked)

    def next_step(self, now: float) -> float:
        """Seconds until the first probe is due, or the time of death; infinite after that time."""
        if self._proven is None:
            return self._since + self._lease / 2 - now
        left = self._proven + self._lease - now
        return left if left >= 0 else math.inf

    def _has_gap(self, now: float) -> bool:
        """Whether this reader did not look for so long that the store may have failed meanwhile."""
        return now - self._probed > self._lease / 2
