"""A few requests begin in each iteration of the loop; the others wait for the next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic

LEAST = 2
"""Requests that may begin in one iteration: about half a millisecond."""
EACH = 0.005
"""Seconds of the last iteration for which one may begin, if these are more: where the streams of a
process keep it busy, requests still get about a fifth of its time."""


class Starts:
    """Takes turns at beginning a request.

    To begin one takes ten times as long as to pass on a block. When hundreds arrive together, as
    after a restart, the open streams would get nothing until all of them have begun.

    Args:
        clock: Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._began: float | None = None  # when the iteration began, while turns are counted
        self._left = LEAST
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait for a turn; at once, if this iteration has one left."""
        loop = asyncio.get_running_loop()
        if self._began is None:
            self._count_from(LEAST)
        if self._left:
            self._left -= 1
            return
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _count_from(self, turns: int) -> None:
        """Begin an iteration with this number of turns."""
        self._left = turns
        self._began = self._clock()
        asyncio.get_running_loop().call_soon(self._next)

    def _next(self) -> None:
        """Give the turns of the next iteration to those that wait longest."""
        took = self._clock() - (self._began or 0.0)
        self._began = None
        if not self._waiting:
            return
        self._count_from(max(LEAST, int(took / EACH)))
        while self._waiting and self._left:
            turn = self._waiting.popleft()
            if not turn.done():  # not cancelled
                turn.set_result(None)
                self._left -= 1
