"""Fifty Converse streams in a process of their own: prints the longest turns of its event loop.

Milliseconds of the loop's own CPU, so that neither other processes nor a coverage tracer count.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time

from tests.fakes.upstream import Upstream, upstream
from tests.matrix.cases import recording
from tests.providers.test_bedrock import ask, at, pause


async def provide(found: asyncio.Queue[Upstream], loop: asyncio.AbstractEventLoop) -> None:
    """The scripted provider, in a thread of its own: its work is not to be measured."""
    stream = recording("text", "converse")
    pieces = (stream[n : n + 60] for n in range(0, len(stream), 60))
    async with upstream() as provider:
        provider.answer(*(step for piece in pieces for step in (pause, piece)))
        loop.call_soon_threadsafe(found.put_nowait, provider)
        await asyncio.sleep(3600)


async def main() -> None:
    """Measure, and print the 99th percentile and the longest."""
    found: asyncio.Queue[Upstream] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    threading.Thread(target=lambda: asyncio.run(provide(found, loop)), daemon=True).start()
    client = at(await found.get())
    await ask(client)  # imports botocore, in a thread
    turns: list[float] = []

    async def watch() -> None:
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            turns.append((time.thread_time() - began) * 1000)

    async def one(number: int) -> None:
        await asyncio.sleep(number * 0.005)
        for _ in range(3):
            await ask(client)

    watching = asyncio.create_task(watch())
    await asyncio.gather(*(one(number) for number in range(50)))
    watching.cancel()
    await client.aclose()
    turns.sort()
    report = {"turns": len(turns), "p99": turns[len(turns) * 99 // 100], "max": turns[-1]}
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    asyncio.run(main())
