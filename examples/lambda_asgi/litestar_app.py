"""Litestar on the layer, unchanged."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from litestar import Litestar, get
from litestar.response import ServerSentEvent

from lambda_asgi import Handler


@get("/clock", sync_to_thread=False)
def clock() -> ServerSentEvent:
    """Five ticks."""

    async def ticks() -> AsyncIterator[str]:
        for number in range(5):
            yield f"tick {number}"
            await asyncio.sleep(0.1)

    return ServerSentEvent(ticks())


handler = Handler(Litestar([clock]))
