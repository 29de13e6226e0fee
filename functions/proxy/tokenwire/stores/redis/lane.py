"""What waits for the same moment: it is taken in rounds, and each round in steps."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from ...clock import monotonic

T = TypeVar("T")

_STEP = 0.001
"""Seconds between two steps of a round: one step alone does not delay the streams of a process."""


class Lane(Generic[T]):
    """A queue that is taken from at intervals.

    Args:
        interval: Returns the seconds between the beginnings of two rounds.
        take: Removes at most so many items from the left of a queue, one step's worth; returns
            their number, 0 if it cannot take any now. ``resume`` is called once it can again.
    """

    def __init__(self, interval: Callable[[], float], take: Callable[[deque[T], int], int]) -> None:
        self._interval = interval
        self._take = take
        self._left = 0  # of this round: what comes meanwhile is for the next one
        self._began = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False
        self.waiting: deque[T] = deque()

    def add(self, item: T) -> None:
        """Let this wait for the next round."""
        self.waiting.append(item)
        if self._timer is None:
            self.resume()

    def resume(self) -> None:
        """Go on, if anything waits."""
        if self._timer is None and self.waiting and not self._is_closed:
            due = monotonic() + _STEP if self._left else self._began + self._interval()
            self._timer = asyncio.get_running_loop().call_at(due, self._step)

    def close(self) -> None:
        """Take nothing more, also after ``add`` and ``resume``."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()

    def _step(self) -> None:
        self._timer = None
        if not self._left:
            self._left, self._began = len(self.waiting), monotonic()
        taken = self._take(self.waiting, self._left)
        self._left -= taken
        if taken:
            self.resume()
