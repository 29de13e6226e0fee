"""Hostile streams, and churn. ``make soak`` runs 2,000 a store, and twenty minutes of the other."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.stores.damage import damage_of
from tests.stores.hostile import EXPECTED, one_round, relayed
from tests.stores.scene import Scene, finish
from tests.stores.servers import Server, redis_command
from tests.stores.servers import redis as redis_server
from tests.stores.test_chaos_writes import connections
from tests.stores.test_processes import SOAK, rounds
from tests.streams.test_keeping import Tap, read, start
from tokenwire.stores.contract import Keep
from tokenwire.stores.redis.store import RedisStore
from tokenwire.streams.hub import Hub
from tokenwire.streams.limits import Durability, Limits
from tokenwire.streams.policy import CONTINUE

CHURN = 20 * 60.0 * SOAK or 3.0


async def soaked(server: Server, count: int, *, freezes: bool = False) -> Counter[str]:
    """So many rounds at this server; what came of them, without what must not be."""
    total, damage = Counter[str](), damage_of(server)
    async with AsyncExitStack() as stack:
        pairs = [await stack.enter_async_context(relayed(server)) for _ in range(3)]
        relays, nodes = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        for _ in range(count):
            total += await one_round(nodes, relays, damage, freezes=freezes)
            print(time.strftime("%T"), server.url, dict(total), flush=True)  # noqa: T201
            assert not total["hung"], total
    damage.close()
    assert set(total) <= EXPECTED, total
    assert total["viewers"] == total["clean"] + total["fenced"] + total["another end"]
    assert total["another end"] <= total["viewers"] // 20, total
    assert total["callers"] == total["agree"] + total["early end"]
    return total


@pytest.mark.timeout(7200 if SOAK else 90)
@pytest.mark.parametrize("kind", ["redis", "valkey", "dynamodb_local"] if SOAK else ["redis"])
async def test_hostile_streams(kind: str, server_of: Callable[[str], Server]) -> None:
    """No token is lost, doubled or re-ordered, no client hangs, and all receive the same end.

    Or differ as ``docs/operate.md`` says, where the store did not hear of a producer for a lease.
    """
    await soaked(server_of(kind), rounds(2, 200))


@pytest.mark.timed
@pytest.mark.timeout(7200 if SOAK else 150)
@pytest.mark.parametrize("kind", ["redis", "valkey", "dynamodb_local"] if SOAK else ["redis"])
async def test_hostile_streams_of_a_process_that_freezes(
    kind: str, server_of: Callable[[str], Server]
) -> None:
    """Others end some of its streams; all viewers get the same end, its callers last.

    The exception: a few streams whose end the store loses before the producer continues.
    """
    await soaked(server_of(kind), rounds(1, 20), freezes=True)


@pytest.mark.outside
@pytest.mark.timeout(CHURN + 120)
async def test_churn_leaves_nothing_behind(tmp_path: Path) -> None:
    """Streams that come and go: tasks, files, keys and connections return to where they were."""
    server = redis_server(tmp_path)
    server.start()
    try:
        stores = [RedisStore(server.url, Keep(4, 2), idle=0.5) for _ in range(2)]
        hubs = [Hub(Limits(retention=0.5), durability=Durability(one, 1.0)) for one in stores]
        at = Scene(*stores, damage_of(server), *hubs)  # type: ignore[call-arg, arg-type]
        await churn(at, 0.5)
        await settle(server)
        before = held()
        streams = await churn(at, CHURN)
        await settle(server)
        after = held()
        assert streams > 20
        assert after["tasks"] <= before["tasks"] + 2, (before, after)
        assert after["files"] <= before["files"] + 4, (before, after)
        assert after["kilobytes"] - before["kilobytes"] < 8192, (before, after)
        for hub in hubs:
            await hub.aclose()
        for store in stores:
            await store.aclose()
    finally:
        server.stop()


async def churn(at: Scene, seconds: float) -> int:
    """Streams for so long, each watched elsewhere by a viewer that may leave early; how many."""
    until, count = asyncio.get_running_loop().time() + seconds, 0
    while asyncio.get_running_loop().time() < until:
        await asyncio.gather(*(come_and_go(at, number) for number in range(10)))
        count += 10
    return count


async def come_and_go(at: Scene, number: int) -> None:
    """One stream."""
    tap = Tap()
    stream = await start(at.here, tap, CONTINUE)
    await stream.copy.created()  # before it is in the store no other process can find it
    tap.send(b"data: {}\n\n")
    remote = await at.there.find(stream.meta.id, "me")
    viewer = asyncio.create_task(read(at.there, remote))
    await asyncio.sleep(0.01 * number)
    if number % 3 == 0:
        viewer.cancel()
    await finish(tap, stream)
    await asyncio.gather(viewer, return_exceptions=True)
    await at.here.settled(stream)


async def settle(server: Server) -> None:
    """Wait until no key and hardly a connection is left."""
    async with asyncio.timeout(40):
        while redis_command(server, "DBSIZE") or connections(server) > 2:
            await asyncio.sleep(0.2)


def held() -> dict[str, int]:
    """What this process holds."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "tasks": len(asyncio.all_tasks()),
        "files": len(list(Path("/proc/self/fd").iterdir())),
        "kilobytes": pages * os.sysconf("SC_PAGE_SIZE") // 1024,
    }
