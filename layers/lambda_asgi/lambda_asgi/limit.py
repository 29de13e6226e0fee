"""How long an invocation may take: to its deadline, or less once the environment ends."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from .cycle import Request

T = TypeVar("T")

NOTICE = 0.5
"""Seconds before the limit at which the app receives ``http.disconnect``."""

LAST_CALL = 0.1
"""Seconds before the limit at which it is cancelled. Past the deadline Lambda stops the
environment, and whatever else runs in it; an app that ends by itself spares us a cold start."""


class DeadlineExceeded(Exception):
    """The app was still at work when its time was up."""


class EnvironmentStopped(Exception):
    """The app was still at work when Lambda stopped its environment."""


class Limit:
    """The limit of one invocation.

    Args:
        request: Disconnected shortly before the limit.
        seconds: From now to the deadline.
    """

    def __init__(self, request: Request, seconds: float) -> None:
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._timers: list[asyncio.TimerHandle] = []
        self._ends_at = self._loop.time() + seconds
        self.exceeded: Exception | None = None
        self._set(seconds, DeadlineExceeded())

    def shorten(self, seconds: float) -> None:
        """End in so many seconds from now, unless the deadline comes first."""
        if self._loop.time() + seconds < self._ends_at:
            self.cancel()
            self._set(seconds, EnvironmentStopped())

    async def run(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run the app to the limit, in a task of its own, so that it cannot cancel the caller.

        Returns:
            The task: done, or not if it does not end when it is cancelled.
        """
        task = asyncio.create_task(work)
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait({task, over}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.cancel()
            over.cancel()
            task.cancel()
        await asyncio.wait({task}, timeout=LAST_CALL / 2)
        return task

    def cancel(self) -> None:
        """Drop the timers."""
        for timer in self._timers:
            timer.cancel()

    def _set(self, seconds: float, error: Exception) -> None:
        self._ends_at = self._loop.time() + seconds
        notice = max(0.0, seconds - min(NOTICE, NOTICE * seconds))
        last_call = max(0.0, seconds - min(LAST_CALL, LAST_CALL * seconds))
        self._timers = [
            self._loop.call_later(notice, self._tell, error),
            self._loop.call_later(last_call, self._over.set),
        ]

    def _tell(self, error: Exception) -> None:
        self.exceeded = error
        self._request.disconnect()


class Limits:
    """The limits of all invocations of an environment, shortened together when it ends."""

    def __init__(self) -> None:
        self._running: set[Limit] = set()
        self._ends_at: float | None = None

    def shorten(self, seconds: float) -> None:
        """End all invocations, and those still to come, in so many seconds from now."""
        self._ends_at = asyncio.get_running_loop().time() + seconds
        for limit in self._running:
            limit.shorten(seconds)

    def add(self, limit: Limit) -> None:
        """Keep a new invocation's limit."""
        self._running.add(limit)
        if self._ends_at is not None:
            limit.shorten(max(0.0, self._ends_at - asyncio.get_running_loop().time()))

    def remove(self, limit: Limit) -> None:
        """Forget it."""
        self._running.discard(limit)
