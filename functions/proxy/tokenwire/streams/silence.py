"""How long a log's producer has shown no sign of life to a reader, and what that proves."""

from __future__ import annotations

import math


class Silence:
    """Decides when a producer counts as dead, by the reader's own clock.

    A store that takes no writes makes every producer silent. So silence proves nothing by itself:
    a producer is dead if it was silent for a whole lease in which the store took this reader's own
    writes, one after the other without a gap. The first of them is due after half a lease; a store
    that has just recovered therefore gives its producer a whole lease, in any order of writes.

    Times are seconds of one clock. ``sent`` is a time before a request, ``now`` one after it.

    Args:
        lease: Seconds.
        now: The present time.
    """

    def __init__(self, lease: float, now: float) -> None:
        self._lease = lease
        self._since = now
        self._proven: float | None = None
        self._probed = now

    def reset(self, sent: float) -> None:
        """Start again: a sign of life, a failure of the store, or a time without reads."""
        self._since, self._proven = sent, None

    def wants_probe(self, sent: float) -> bool:
        """Return whether the silence is so long that the store has to be probed."""
        return sent - self._since > self._lease / 2

    def probed(self, now: float) -> None:
        """Note that the store has accepted a write of this reader, during the silence."""
        if self._proven is None or self._has_gap(now):
            self._proven = now
        self._probed = now

    def is_death(self, sent: float) -> bool:
        """Return whether a producer is dead that had shown no sign of life at this time."""
        lasted = self._proven is not None and sent - self._proven > self._lease
        return lasted and not self._has_gap(sent)

    def next_step(self, now: float) -> float:
        """Return the seconds until the first probe, or the time of death; infinite after it."""
        if self._proven is None:
            return self._since + self._lease / 2 - now
        left = self._proven + self._lease - now
        return left if left >= 0 else math.inf

    def _has_gap(self, now: float) -> bool:
        """Return whether the store may have failed unnoticed since this reader's last write."""
        return now - self._probed > self._lease / 2
