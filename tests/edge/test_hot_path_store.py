"""What a shared store adds to a block's cost, where many streams have one: counted."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Callable
from time import monotonic
from types import FrameType

import pytest
import redis

from tests.fakes.counting import CountingLoop
from tests.fakes.upstream import ROLE, text
from tests.stores.servers import Server
from tests.streams.test_keeping import Tap, start
from tokenwire.stores.redis.server import keys
from tokenwire.stores.redis.store import RedisStore
from tokenwire.streams.hub import Hub
from tokenwire.streams.limits import Durability, Limits
from tokenwire.streams.stream import Stream

# On a loaded machine a round takes longer, and has more commands.
pytestmark = pytest.mark.timed

STREAMS, ROUNDS = 60, 10
_PACKAGE = f"{os.sep}tokenwire{os.sep}"


async def until_stored(client: redis.Redis, names: list[str], streams: list[Stream]) -> None:
    """Wait for the records that there are now."""
    wanted = [str(stream.tail.last).encode() for stream in streams]
    found: list[object] = []
    async with asyncio.timeout(20):
        while found != wanted:
            await asyncio.sleep(0.002)
            with client.pipeline(transaction=False) as commands:
                for name in names:
                    commands.hget(name, "last")
                found = commands.execute()


async def counted(server: Server, counts: Counter[str]) -> Counter[str]:
    """Return what the loop did for ``ROUNDS`` blocks of each stream, all appended at once.

    Another process watches each stream, so that it is written more often.
    """
    store, client = RedisStore(server.url), redis.Redis(port=server.port)
    hub = Hub(Limits(), durability=Durability(store, lease=600.0))
    streams: list[Stream] = []
    for _ in range(STREAMS):
        tap = Tap()
        tap.send(ROLE, text("a"))
        streams.append(await start(hub, tap))
    names = [keys(stream.meta.id)[0] for stream in streams]
    for stream in streams:
        await stream.tail.reach(2, 20)
        await store.renew(stream.meta.id, "v", 600.0)
    await until_stored(client, names, streams)
    before, began = counts.copy(), monotonic()
    for number in range(ROUNDS):
        for stream in streams:
            stream.tail.append_one(text(str(number)))
        await until_stored(client, names, streams)
    spent = counts.copy()
    spent.subtract(before)
    spent["half seconds"] = int((monotonic() - began) / 0.5) + 1
    await hub.aclose()
    await store.aclose()
    client.close()
    return spent


@pytest.fixture
def spent(server_of: Callable[[str], Server]) -> Counter[str]:
    """The counts, without those of the test's own sleeps."""
    server, loop = server_of("redis"), CountingLoop()

    def count_calls(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and _PACKAGE in frame.f_code.co_filename:
            loop.counts["calls"] += 1

    before = sys.getprofile()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        sys.setprofile(count_calls)
        try:
            found = runner.run(counted(server, loop.counts))
        finally:
            sys.setprofile(before)
    for kind in ("futures", "callbacks", "timers"):
        found[kind] -= found["sleeps"]  # each has one
    # Each stream looks every half second whether blocks have come.
    found["timers"] -= STREAMS * found["half seconds"]
    return found


def test_stored_block_costs_no_task_and_no_timer(spent: Counter[str]) -> None:
    """What one command for all streams costs is shared by their blocks."""
    blocks = STREAMS * ROUNDS
    for kind in ("tasks", "futures", "timers"):
        assert spent[kind] < blocks / 4, (kind, spent)
    assert spent["callbacks"] < blocks, spent


def test_stored_block_costs_few_calls(spent: Counter[str]) -> None:
    """From the log's append to the record that the store has it."""
    assert spent["calls"] <= 40 * STREAMS * ROUNDS
