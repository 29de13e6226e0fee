"""A connection to a browser that Playwright serves, made without Playwright's driver.

``async_playwright`` starts Node for each event loop, thus for each test, and Node does nothing but
pass the messages on: half a second of CPU time for each test. Here the messages go to the server
itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright._impl.connection import Connection
from playwright._impl.utils.tasks import wait_for_next_task
from playwright.async_api import Browser
from websockets.asyncio.client import ClientConnection, connect


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Browser]:
    """Connect to the browser at this URL; its profiles end with the connection.

    This is what Playwright's ``BrowserType.connect`` does, with a WebSocket for its pipe.
    """
    connection = Connection(asyncio.get_running_loop())
    connection.mark_as_remote()
    outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    connection.onmessage = outgoing.put_nowait
    async with connect(url, max_size=None, compression=None, proxy=None) as wire:
        tasks = [asyncio.create_task(_write(wire, outgoing))]
        tasks.append(asyncio.create_task(_read(wire, connection)))
        playwright = await connection.initialize_playwright()
        yield Browser(playwright._pre_launched_browser())
        connection.close()
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended


async def _write(wire: ClientConnection, messages: asyncio.Queue[dict[str, Any]]) -> None:
    while True:
        # NaN is no JSON.
        await wire.send(json.dumps(await messages.get(), allow_nan=False))


async def _read(wire: ClientConnection, connection: Connection) -> None:
    try:
        async for message in wire:
            connection.dispatch(json.loads(message))
            # As in Playwright's own transport: what a message causes is done before the next one.
            await wait_for_next_task()
    finally:
        connection.close("the connection to the browser has ended")
