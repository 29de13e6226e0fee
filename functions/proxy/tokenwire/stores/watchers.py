"""Viewers elsewhere, as a producer knows of them: by its own clock alone.

A viewer that means to go on watching writes a **mark** into the store: for how many seconds, and
a nonce that makes each mark another. Nobody writes down what time it is, so that a machine whose
clock is wrong ends nothing: a producer counts the seconds from when it first sees a mark.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress

from ..clock import monotonic

_FORGET = 60.0
"""Seconds after its time at which a mark may be removed: its viewer has left without a word."""
_MOST = 3600.0
_BATCH = 10


def mark(seconds: float) -> str:
    """A mark that holds for so many seconds."""
    return f"{seconds:.3f} {secrets.token_hex(6)}"


class Watchers:
    """When the viewers of one stream were last heard of.

    Args:
        clock: Seconds, from any start.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._until: dict[str, tuple[str, float]] = {}

    def hear(self, marks: Mapping[str, str]) -> float:
        """Take note of the marks in the store; seconds for which the last of them still holds."""
        now = self._clock()
        self._until = {
            viewer: self._since_first_seen(viewer, found, now) for viewer, found in marks.items()
        }
        return max((until - now for _, until in self._until.values() if until > now), default=0.0)

    def gone(self) -> list[str]:
        """Some viewers that left without a word, to be removed from the store."""
        now = self._clock()
        return [v for v, (_, until) in self._until.items() if now - until > _FORGET][:_BATCH]

    def _since_first_seen(self, viewer: str, found: str, now: float) -> tuple[str, float]:
        before = self._until.get(viewer)
        return before if before is not None and before[0] == found else (found, now + _of(found))


def _of(found: str) -> float:
    with suppress(ValueError):
        return min(max(float(found.partition(" ")[0]), 0.0), _MOST)
    return 0.0
