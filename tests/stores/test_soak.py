"""Hostile streams: three processes, a network and a store with random faults, numbered tokens.

Each viewer checks every token against what its number says, so that nothing lost, doubled or
re-ordered escapes it. ``make soak`` runs 2,000 streams a store, and twenty minutes of churn.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.relay import Relay, relay
from tests.stores.damage import Damage, damage_of
from tests.stores.scene import Scene, finish
from tests.stores.servers import Server, redis_command
from tests.stores.servers import redis as redis_server
from tests.stores.test_chaos_writes import connections
from tests.stores.test_processes import SOAK, Node, node, rounds
from tests.streams.test_keeping import Tap, read, start
from tokenwire.stores.contract import Keep
from tokenwire.stores.redis import RedisStore
from tokenwire.streams.hub import Hub
from tokenwire.streams.limits import Durability, Limits
from tokenwire.streams.policy import CONTINUE
from tokenwire.streams.stream import new_id

AT_ONCE = 10
CHURN = 20 * 60.0 * SOAK or 3.0


@asynccontextmanager
async def relayed(server: Server) -> AsyncIterator[tuple[Relay, Node]]:
    """A process whose way to the store is a relay of its own."""
    async with relay(server.port) as between:
        url, environ = server.url, dict(server.environ)
        if url.startswith("dynamodb"):
            environ["AWS_ENDPOINT_URL_DYNAMODB"] = between.base_url
        else:
            url = f"redis://127.0.0.1:{between.port}"
        async with node(Server([], server.folder, url, between.port, environ)) as one:
            yield between, one


async def harass(relays: list[Relay], damage: Damage, ids: list[str]) -> None:
    """One fault after the other, each shorter than a lease, until cancelled."""
    is_table = "DynamoDB" in type(damage).__name__
    while True:
        await asyncio.sleep(random.uniform(0.05, 0.25))
        await fault(random.choice(relays))
        if not is_table and random.random() < 0.15:
            harm(damage, random.choice(ids))


async def fault(between: Relay) -> None:
    """Something that happens in networks."""
    kind = random.choice(["cut", "stall", "lose", "break", "slow", "refuse"])
    if kind == "cut":
        between.cut()
    elif kind == "lose":
        between.lose = random.randint(1, 3)
    elif kind == "break":
        between.break_after = random.randint(1, 3000)
    elif kind == "stall":
        between.stalled = True
        await asyncio.sleep(random.uniform(0.05, 0.5))
        between.stalled = False
    elif kind == "slow":
        between.delay = 0.02
        await asyncio.sleep(random.uniform(0.05, 0.5))
        between.delay = 0.0
    else:
        between.refuses = True
        between.cut()
        await asyncio.sleep(random.uniform(0.05, 0.5))
        between.refuses = False


def harm(damage: Damage, stream_id: str) -> None:
    """Something that happens to stores: evicted, flushed, failed over to what was a while ago."""
    kind = random.choice(["head", "batches", "everything", "copy", "back"])
    if kind == "head":
        damage.lose_head(stream_id)
    elif kind == "batches":
        damage.lose_batches(stream_id)
    elif kind == "everything":
        damage.lose_everything()
    elif kind == "copy":
        COPIES[stream_id] = damage.copied(stream_id)
    elif stream_id in COPIES:
        damage.put_back(stream_id, COPIES[stream_id])


COPIES: dict[str, Any] = {}


async def one_round(nodes: list[Node], relays: list[Relay], damage: Damage) -> Counter[str]:
    """Ten streams at once, each with two viewers in each of two processes; what came of them."""
    producer, *others = nodes
    blocks = {new_id(): random.randint(5, 80) for _ in range(AT_ONCE)}
    COPIES.clear()
    harassing = asyncio.create_task(harass(relays, damage, list(blocks)))
    try:
        for stream_id, count in blocks.items():
            told = {"id": stream_id, "blocks": count, "pause": random.choice([0.002, 0.02, 0.05])}
            await producer.tell(do="produce", **told)
            for one in others:
                await one.tell(do="watch", **told, viewers=2, spread=0.5, retries=200)
        async with asyncio.timeout(60):
            heard = await asyncio.gather(
                lines(producer, 2 * AT_ONCE), *(lines(one, AT_ONCE) for one in others)
            )
    except TimeoutError:
        return Counter(hung=1)
    finally:
        harassing.cancel()
        await asyncio.gather(harassing, return_exceptions=True)
        for between in relays:
            between.stalled = between.refuses = False
            between.delay = between.lose = 0
    return tallied(heard, blocks)


async def lines(one: Node, count: int) -> list[dict[str, Any]]:
    """So many lines of a process."""
    return [await one.hear(60) for _ in range(count)]


def tallied(heard: list[list[dict[str, Any]]], blocks: dict[str, int]) -> Counter[str]:
    """What was counted."""
    found: Counter[str] = Counter()
    ends = {line["id"]: line["at"] for line in heard[0] if "at" in line}
    for line in [line for of_one in heard[1:] for line in of_one]:
        for viewer in line["viewers"]:
            found["viewers"] += 1
            found["faults"] += len(viewer["faults"])
            found["disagree"] += viewer["at"] != ends[line["id"]]
            is_whole = viewer["blocks"] == blocks[line["id"]] and viewer["reason"] == "done"
            found["clean" if is_whole else f"{viewer['reason']} {viewer['code']}"] += 1
    return found


@pytest.mark.timeout(7200 if SOAK else 90)
@pytest.mark.parametrize("kind", ["redis", "valkey", "dynamodb_local"] if SOAK else ["redis"])
async def test_hostile_streams(kind: str, server_of: Callable[[str], Server]) -> None:
    """No token is lost, doubled or re-ordered, nobody hangs, and all are told the same end."""
    server, total = server_of(kind), Counter[str]()
    damage = damage_of(server)
    async with AsyncExitStack() as stack:
        pairs = [await stack.enter_async_context(relayed(server)) for _ in range(3)]
        relays, nodes = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        for _ in range(rounds(2, 200)):
            total += await one_round(nodes, relays, damage)
            assert not total["hung"], total
    damage.close()
    print(kind, dict(total))  # noqa: T201 - the numbers of ``make soak``
    assert total == Counter(viewers=total["viewers"], clean=total["viewers"]), total


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
    """Streams for so long, each watched elsewhere by somebody who may leave early; how many."""
    until, count = asyncio.get_running_loop().time() + seconds, 0
    while asyncio.get_running_loop().time() < until:
        await asyncio.gather(*(come_and_go(at, number) for number in range(10)))
        count += 10
    return count


async def come_and_go(at: Scene, number: int) -> None:
    """One stream."""
    tap = Tap()
    stream = await start(at.here, tap, CONTINUE)
    assert stream.keeper is not None
    await stream.keeper.created.wait()  # before it is in the store nobody elsewhere can find it
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
