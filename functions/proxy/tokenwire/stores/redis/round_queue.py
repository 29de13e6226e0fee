"""A queue whose items are taken in rounds, at intervals, and the items of a round in steps."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from ...clock import monotonic

T = TypeVar("T")

_STEP = 0.001
"""Seconds between two steps of a round. One step is short enough not to delay other streams."""


class RoundQueue(Generic[T]):
    """A queue whose items are taken in rounds.

    Args:
        interval: Returns the seconds between the beginnings of two rounds.
        take: Removes items of one step from the left of a queue, up to a number; returns how
            many. If it returns 0, ``resume`` must be called once it can take items again.
    """

    def __init__(self, interval: Callable[[], float], take: Callable[[deque[T], int], int]) -> None:
        self._interval = interval
        self._take = take
        self._left = 0  # items of this round; those that are added now are for the next one
        self._began = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False
        self.waiting: deque[T] = deque()

    def add(self, item: T) -> None:
        """Add an item, for the next round."""
        self.waiting.append(item)
        if self._timer is None:
            self.resume()

    def resume(self) -> None:
        """Set the timer of the next step, if there is an item and no timer."""
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
