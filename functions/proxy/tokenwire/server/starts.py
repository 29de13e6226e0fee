"""A few requests begin in each iteration of the loop; the others wait for the next."""

from __future__ import annotations

import asyncio
from collections import deque

MOST = 2
"""Requests that begin in one iteration: about half a millisecond."""


class Starts:
    """Takes turns at beginning a request.

    To begin one takes ten times as long as to pass on a block. When hundreds arrive together, as
    after a restart, the open streams would get nothing until all of them have begun.
    """

    def __init__(self) -> None:
        self._left = MOST
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def take(self) -> None:
        """Wait for a turn; at once, if this iteration has one left."""
        loop = asyncio.get_running_loop()
        if self._left == MOST:
            loop.call_soon(self._refill)
        if self._left:
            self._left -= 1
            return
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _refill(self) -> None:
        """Give the turns of the next iteration to those that wait longest."""
        self._left = MOST
        while self._waiting and self._left:
            turn = self._waiting.popleft()
            if not turn.done():  # not cancelled
                turn.set_result(None)
                self._left -= 1
        if self._left < MOST:
            asyncio.get_running_loop().call_soon(self._refill)
