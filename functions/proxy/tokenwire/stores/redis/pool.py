"""A pool of connections that shrinks again: idle ones are closed.

redis-py's own keeps every connection that was ever needed at once. Imported with redis-py, late.
"""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio.connection import AbstractConnection, ConnectionPool

from ...clock import monotonic


class ShrinkingPool(ConnectionPool):
    """As ``ConnectionPool``; connections that are unused for ``idle`` seconds are closed."""

    def __init__(self, *args: Any, idle: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle = idle
        self._since: dict[AbstractConnection, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()

    async def release(self, connection: AbstractConnection) -> None:
        """Take a connection back."""
        await super().release(connection)
        self._since[connection] = monotonic()
        if self._timer is None:
            self._arm()

    async def aclose(self) -> None:
        """Close every connection."""
        if self._timer is not None:
            self._timer.cancel()
        await asyncio.gather(*self._closing)
        await super().aclose()

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._idle, self._shrink)

    def _shrink(self) -> None:
        """Close what has been idle for long enough: the one used last is the next to be used."""
        self._timer = None
        latest = monotonic() - self._idle
        available: list[AbstractConnection] = self._available_connections
        while available and self._since.get(available[0], 0.0) <= latest:
            connection = available.pop(0)
            self._since.pop(connection, None)
            task = asyncio.get_running_loop().create_task(_close(connection))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        if available or self._in_use_connections:
            self._arm()


async def _close(connection: AbstractConnection) -> None:
    try:
        await connection.disconnect(nowait=True)
    except Exception:
        return  # it is closed, or as good as
