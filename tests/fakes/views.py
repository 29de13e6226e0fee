"""What a client is sent of a log, write by write; and viewers that are not counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from tokenwire.streams.reader import Reader
from tokenwire.streams.rendering import Rendering
from tokenwire.streams.sender import Sender
from tokenwire.streams.viewer import Delivery, Viewer


async def view(
    reader: Reader, rendering: Rendering, heartbeat: float, delivery: Delivery
) -> AsyncIterator[bytes]:
    """Yield the writes of a sender, to a client that takes one when it needs the next."""
    writes: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def send(data: bytes, _: bool) -> None:
        writes.put_nowait(data)
        await writes.join()

    async def run() -> None:
        viewer = Viewer(reader, rendering, delivery)
        sender = Sender(reader, viewer, send, delivery, heartbeat=heartbeat, timeout=60)
        try:
            await sender.run()
        finally:
            writes.put_nowait(None)

    running = asyncio.create_task(run())
    try:
        while (data := await writes.get()) is not None:
            yield data
            writes.task_done()
        await running
    finally:
        running.cancel()


class UncountedViewers:
    """Viewers whose number has no effect."""

    def attached(self) -> None:
        """Do nothing."""

    def detached(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
