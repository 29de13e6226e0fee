"""The ASGI lifespan of one environment: started once, its state shared by every request."""

from __future__ import annotations

import asyncio
from typing import Any

from .types import ASGIApp, Message


class LifespanError(Exception):
    """The app reported that it cannot start."""


class Lifespan:
    """Runs an app's lifespan in a task of its own.

    An app that does not support lifespans (it raises before its first message) has no state.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.state: dict[str, Any] = {}
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._error: Exception | None = None

    async def startup(self) -> None:
        """Start, and wait until the app is ready.

        Raises:
            LifespanError: The app sent ``lifespan.startup.failed``.
        """
        self._task = asyncio.create_task(self._run())
        reply = await self._exchange("lifespan.startup")
        if reply["type"] == "lifespan.startup.failed":
            await asyncio.wait({self._task}, timeout=1)
            # Its message is not passed on: frameworks put the exception's text there.
            raise LifespanError("the app failed to start") from self._error

    async def shutdown(self, seconds: float) -> None:
        """Wait until the app has cleaned up, for so many seconds at most."""
        if self._task is None or self._task.done():
            return
        try:
            async with asyncio.timeout(seconds):
                await self._exchange("lifespan.shutdown")
                await asyncio.wait({self._task})
        except TimeoutError:
            self._task.cancel()

    async def _exchange(self, kind: str) -> Message:
        self._to_app.put_nowait({"type": kind})
        return await self._from_app.get()

    async def _run(self) -> None:
        asgi = {"version": "3.0", "spec_version": "2.0"}
        scope = {"type": "lifespan", "asgi": asgi, "state": self.state}
        try:
            await self._app(scope, self._to_app.get, self._from_app.put)
        except Exception as error:
            # Before the first message this means, by the specification, "not supported".
            self._error = error
        finally:
            self._from_app.put_nowait({"type": "unsupported"})
