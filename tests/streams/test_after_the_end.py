"""A store that loses an end long after it took it: the process that holds the stream notices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.fakes.memory_store import MemoryStore
from tests.fakes.upstream import DONE, ROLE, STOP, text
from tests.fakes.virtual import run
from tests.streams.test_keeping import LEASE, Tap, hub, over, read, start
from tokenwire.stores.records import EndReason

COMPLETE = [ROLE, text("a"), STOP]
AGES = (0, 2, 5, 11, 24, 50, 110, 250)
"""Leases since the end; between them a stream that is over is looked at ever less often."""


def back(store: MemoryStore) -> None:
    """Go back to before the streams ended."""
    for log in store.logs.values():
        del log.batches[-1:]


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize("lose", [back, MemoryStore.flush], ids=["back in time", "emptied"])
def test_end_that_is_lost_late_is_not_taken_for_a_death(
    lose: Callable[[MemoryStore], None], age: int
) -> None:
    """Who comes while the store lacks it waits for it; of the last stream, and of those before."""
    assert run(lambda: _late(lose, age * LEASE)) == [(COMPLETE, EndReason.DONE)] * 2


def test_streams_that_are_over_do_not_crowd_out_one_that_runs() -> None:
    """A store that loses everything again and again, and takes eight requests at a time."""
    assert run(_crowd) == ([ROLE, *(text(str(number)) for number in range(20)), STOP], False)


async def _crowd() -> tuple[list[bytes], bool]:
    slots, is_busy = asyncio.Semaphore(8), False

    async def busy() -> None:
        if is_busy:
            async with slots:
                await asyncio.sleep(LEASE / 60)

    store = MemoryStore(trouble=busy)
    here, there = hub(store), hub(MemoryStore(logs=store.logs))
    for _ in range(300):
        tap = Tap()
        ended = await start(here, tap)
        tap.send(*COMPLETE, DONE)
        await here.settled(ended)
    tap, is_busy = Tap(), True
    stream = await start(here, tap)
    tap.send(ROLE)
    await asyncio.sleep(LEASE / 2)
    remote = await there.find(stream.meta.id, "me")
    viewer = asyncio.create_task(read(there, remote))
    for number in range(20):
        tap.send(text(str(number)))
        if number % 4 == 0:
            store.flush()
        await asyncio.sleep(LEASE / 4)
    was_over = remote.tail.over
    tap.send(STOP, DONE)
    blocks = await viewer
    is_busy = False
    for one in (here, there):
        await one.aclose()
    return blocks, was_over


async def _late(
    lose: Callable[[MemoryStore], None], seconds: float
) -> list[tuple[list[bytes], EndReason]]:
    store, found = MemoryStore(), list[tuple[list[bytes], EndReason]]()
    here, there = hub(store), hub(store)
    ids: list[str] = []
    for _ in range(2):
        tap = Tap()
        stream = await start(here, tap)
        tap.send(*COMPLETE, DONE)
        await over(stream)
        await here.settled(stream)
        ids.append(stream.meta.id)
        await asyncio.sleep(LEASE)
    await asyncio.sleep(seconds)
    lose(store)
    if not store.logs:  # until then it is a 404
        await asyncio.sleep(LEASE * 3)
    for stream_id in ids:
        remote = await there.find(stream_id, "me")
        blocks = await read(there, remote)
        assert remote.tail.end is not None
        found.append((blocks, remote.tail.end.reason))
    for one in (here, there):
        await one.aclose()
    return found
