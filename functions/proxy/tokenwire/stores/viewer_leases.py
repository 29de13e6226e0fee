"""The leases of viewers that a stream's producer does not see, measured by its own clock.

A viewer that continues to watch writes a **mark** into the store: the number of seconds, and a
nonce that makes each mark different. No mark contains a time of day, so a wrong clock has no
effect: a producer counts the seconds from its first read of a mark.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress

from ..clock import monotonic

_FORGET = 60.0
"""Seconds after which an expired mark may be removed: its viewer has not given it up itself."""
_MOST = 3600.0
_BATCH = 10


def mark(seconds: float) -> str:
    """Return a mark that holds for so many seconds."""
    return f"{seconds:.3f} {secrets.token_hex(6)}"


class ViewerLeases:
    """When the leases of one stream's viewers expire.

    Args:
        clock: Seconds, from any start.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._until: dict[str, tuple[str, float]] = {}

    def update(self, marks: Mapping[str, str]) -> float:
        """Store the marks; return the seconds for which the longest of them still holds."""
        now = self._clock()
        self._until = {viewer: self._expiry(viewer, found, now) for viewer, found in marks.items()}
        return max((until - now for _, until in self._until.values() if until > now), default=0.0)

    def abandoned(self) -> list[str]:
        """Return some viewers with an expired mark, to be removed from the store."""
        now = self._clock()
        return [v for v, (_, until) in self._until.items() if now - until > _FORGET][:_BATCH]

    def _expiry(self, viewer: str, found: str, now: float) -> tuple[str, float]:
        before = self._until.get(viewer)
        return before if before is not None and before[0] == found else (found, now + _of(found))


def _of(found: str) -> float:
    with suppress(ValueError):
        return min(max(float(found.partition(" ")[0]), 0.0), _MOST)
    return 0.0
