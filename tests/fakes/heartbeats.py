"""Heartbeats that scripted providers can wait for."""

from __future__ import annotations

import asyncio
from typing import Any

from tokenwire.hotpath import WRITE
from tokenwire.sse import PING


class Heartbeats:
    """Notes each heartbeat that an app sends."""

    def __init__(self) -> None:
        self._sent = asyncio.Event()

    async def next(self) -> None:
        """Wait until one is sent. A step of an upstream's script."""
        self._sent.clear()
        async with asyncio.timeout(10):
            await self._sent.wait()

    def around(self, app: Any) -> Any:
        """Return the app, observed."""

        async def observed(scope: Any, receive: Any, send: Any) -> None:
            async def sending(message: Any) -> None:
                await send(message)
                self._note(message.get("body"))

            if write := scope.get("extensions", {}).get(WRITE):

                def writing(data: bytes) -> bool:
                    self._note(data)
                    return bool(write(data))

                scope["extensions"][WRITE] = writing
            await app(scope, receive, sending)

        return observed

    def _note(self, data: bytes | None) -> None:
        if data == PING:
            self._sent.set()
