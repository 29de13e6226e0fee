"""Begin a few requests in each iteration of the event loop; the others wait for the next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import monotonic

MIN_TURNS = 2
"""Requests that may begin in every iteration."""
SECONDS_PER_TURN = 0.005
"""After a longer iteration, one request may begin for each of these seconds that it has taken. A
request costs about 1 ms: if open streams keep the process busy, requests get a fifth of its time.
"""


class StartLimiter:
    """Limits how many requests begin in one iteration of the event loop.

    A request costs about 1 ms, as much as twenty blocks. If hundreds arrive together, as after a
    restart, the open streams would otherwise get nothing until all of them have begun.

    Args:
        clock: Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._began: float | None = None  # of this iteration; None if it has had no turn
        self._left = MIN_TURNS
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def wait_for_turn(self) -> None:
        """Wait for a turn. Returns at once if this iteration has one left."""
        loop = asyncio.get_running_loop()
        if self._began is None:
            self._count_from(MIN_TURNS)
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
        """Give the turns of this iteration to the requests that have waited longest."""
        took = self._clock() - (self._began or 0.0)
        self._began = None
        if not self._waiting:
            return
        self._count_from(max(MIN_TURNS, int(took / SECONDS_PER_TURN)))
        while self._waiting and self._left:
            turn = self._waiting.popleft()
            if not turn.done():  # not cancelled
                turn.set_result(None)
                self._left -= 1
