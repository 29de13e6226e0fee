"""A limit on how many tasks do the same at once, admitted by priority."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from heapq import heappop, heappush


class Slots:
    """Admit a limited number of tasks at once.

    Args:
        most: The number of tasks.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._waiting: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    @asynccontextmanager
    async def take(self, priority: float) -> AsyncIterator[None]:
        """Wait to be admitted, and hold the place while the context lasts.

        Args:
            priority: The waiting task with the lowest value is admitted first.
        """
        await self._enter(priority)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, priority: float) -> None:
        if self._free:
            self._free -= 1
            return
        slot = asyncio.get_running_loop().create_future()
        self._count += 1
        heappush(self._waiting, (priority, self._count, slot))
        try:
            await slot
        except asyncio.CancelledError:
            if slot.done() and not slot.cancelled():
                self._leave()  # it was admitted, and is cancelled
            raise

    def _leave(self) -> None:
        while self._waiting:
            *_, slot = heappop(self._waiting)
            if not slot.done():
                slot.set_result(None)
                return
        self._free += 1
