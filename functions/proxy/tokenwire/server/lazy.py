"""Parts of a connection that are rarely used, made when they are: thousands may be open.

A deque takes 0.7 KiB, also an empty one, and an ``asyncio.Event`` has one.
"""

from __future__ import annotations

import asyncio
from typing import Any


class LazyEvent:
    """As ``asyncio.Event``, without its queue for as long as nobody waits."""

    __slots__ = ("_event", "_is_set")

    def __init__(self, *, is_set: bool = False) -> None:
        self._is_set = is_set
        self._event: asyncio.Event | None = None

    def is_set(self) -> bool:
        """As ``asyncio.Event``."""
        return self._is_set

    def set(self) -> None:
        """As ``asyncio.Event``."""
        self._is_set = True
        if self._event is not None:
            self._event.set()
            self._event = None

    def clear(self) -> None:
        """As ``asyncio.Event``."""
        self._is_set = False

    async def wait(self) -> bool:
        """As ``asyncio.Event``."""
        if not self._is_set:
            self._event = self._event or asyncio.Event()
            await self._event.wait()
        return True


class Pipeline(list[Any]):
    """As the ``deque`` of a connection's requests, which has few items or none."""

    __slots__ = ()

    def appendleft(self, item: Any) -> None:
        """As ``deque``."""
        self.insert(0, item)
