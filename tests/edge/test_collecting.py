"""Full garbage collections of a server."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager

from tests.fakes.virtual import run
from tokenwire.server.collecting import collect_when_idle


@contextmanager
def full_collections() -> Iterator[list[int]]:
    """A list that has an item for each full collection."""
    found: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2:
            found.append(info["generation"])

    gc.callbacks.append(note)
    try:
        yield found
    finally:
        gc.callbacks.remove(note)


def test_full_collections_wait_until_no_stream_is_open() -> None:
    """Or for five minutes; and there is none where no objects have grown old."""
    before = gc.get_threshold()

    async def main() -> list[int]:
        is_idle = False
        counts = []
        with full_collections() as found:
            task = asyncio.create_task(collect_when_idle(lambda: is_idle))
            await asyncio.sleep(0)
            assert gc.get_threshold()[:2] == before[:2]
            for idle, seconds in ((False, 290), (False, 20), (True, 10), (True, 10)):
                is_idle = idle
                gc.collect(1)
                await asyncio.sleep(seconds)
                counts.append(len(found))
            await asyncio.sleep(100)
            counts.append(len(found))
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return counts

    assert run(main) == [0, 1, 2, 3, 3]
    assert gc.get_threshold() == before
