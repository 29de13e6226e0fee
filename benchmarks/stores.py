"""``python -m benchmarks.stores``: the delay and CPU time that a store adds.

Producers are in one process, viewers in another, Redis is a third. Each block contains the time
at which it was produced, by the machine's monotonic clock. The same streams are also read in the
producers' own process; the difference is the cost of the store.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process, create_subprocess_exec
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.units import TOKENS, one_stream
from tests.fakes.framing import framed
from tests.stores.servers import TABLE, NotHere, Server, moto, redis
from tokenwire.dialects.chat import DIALECT
from tokenwire.stores.dynamodb.store import DynamoDBStore
from tokenwire.stores.records import Meta
from tokenwire.stores.redis.store import RedisStore
from tokenwire.streams.hub import Hub
from tokenwire.streams.limits import Durability, Limits
from tokenwire.streams.policy import CONTINUE
from tokenwire.streams.pump import Source
from tokenwire.streams.stream import Stream

SECONDS, SETTLED = 12.0, 5.0
"""Seconds at the start that are not counted, until every viewer has joined."""


@dataclass(frozen=True)
class Load:
    """So many streams at a time, and blocks per second of each."""

    streams: int
    pace: float

    @property
    def blocks(self) -> int:
        """All blocks that are sent."""
        return self.streams * int(SECONDS * self.pace)


LOADS = (Load(500, 2), Load(500, 10), Load(200, 50))


@asynccontextmanager
async def _timed(pace: float) -> AsyncIterator[AsyncIterator[bytes]]:
    """Yield an upstream whose blocks contain their sending time."""

    async def body() -> AsyncIterator[bytes]:
        await asyncio.sleep(random.uniform(0, 1 / pace))
        for _ in range(int(SECONDS * pace)):
            chunk = {"choices": [{"delta": {"content": repr(time.monotonic())}}], "pad": "x" * 200}
            yield b"data: " + json.dumps(chunk).encode() + b"\n\n"
            await asyncio.sleep(1 / pace)
        yield b"data: [DONE]\n\n"

    yield body()


async def _read(hub: Hub, stream: Stream) -> list[float]:
    """Return the age of each block, in seconds, when a viewer reads it."""
    ages: list[float] = []
    begun = time.monotonic()
    with hub.watch(stream, 1) as reader:
        while reader.ended is None:
            await reader.wait(30)
            if reader.interruption is not None:
                raise RuntimeError(f"A viewer was interrupted: {reader.interruption.code}.")
            now = time.monotonic()
            for block in reader.take():
                chunk = json.loads(block[6:])
                sent = float(chunk["choices"][0]["delta"]["content"])
                if sent > begun + SETTLED:
                    ages.append(now - sent)
    return ages


def _report(ages: list[list[float]], cpu: float) -> None:
    found = sorted(age for one in ages for age in one)
    cuts = statistics.quantiles(found, n=100)
    report = {"p50": cuts[49], "p99": cuts[98], "cpu": cpu}
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()


async def _produce(url: str, load: Load) -> None:
    durability = Durability(RedisStore(url)) if url else None
    hub = Hub(Limits(), durability=durability)
    if durability:
        await durability.store.prepare()
    before = time.process_time()
    numbers = range(load.streams)
    streams = await asyncio.gather(*(_start(hub, number, load) for number in numbers))
    sys.stdout.write("started\n")
    sys.stdout.flush()
    ages = await asyncio.gather(*(_read(hub, stream) for stream in streams))
    await asyncio.gather(*(hub.settled(stream) for stream in streams))
    _report(ages, time.process_time() - before)
    await hub.aclose()


async def _start(hub: Hub, number: int, load: Load) -> Stream:
    meta = Meta(_name(number, load), "me", "bench", "chat", "m", 1)
    source = Source(framed(lambda: _timed(load.pace)), DIALECT.decoder())
    return await hub.start(meta, source, CONTINUE)


def _name(number: int, load: Load) -> str:
    return f"st_{load.streams}_{load.pace:g}_{number}"


async def _view(url: str, load: Load) -> None:
    store = RedisStore(url)
    hub = Hub(Limits(), durability=Durability(store))
    await store.prepare()
    before = time.process_time()

    async def one(number: int) -> list[float]:
        return await _read(hub, await hub.find(_name(number, load), "me"))

    _report(await asyncio.gather(*map(one, range(load.streams))), time.process_time() - before)
    await hub.aclose()


async def _node(role: str, url: str, load: Load) -> Process:
    command = [sys.executable, "-m", "benchmarks.stores", role, url]
    command += [str(load.streams), str(load.pace)]
    return await create_subprocess_exec(*command, stdout=PIPE)


async def _line(node: Process) -> Any:
    assert node.stdout is not None
    return json.loads(await node.stdout.readline())


async def _measure(server: Server | None, load: Load) -> dict[str, Any]:
    url = server.url if server else ""
    cpu = _cpu(server)
    producer = await _node("produce", url, load)
    assert producer.stdout is not None
    await producer.stdout.readline()
    viewer = await _node("view", url, load) if server else None
    found = {"here": await _line(producer), "there": viewer and await _line(viewer)}
    await producer.wait()
    if viewer:
        await viewer.wait()
    return {**found, "server": _cpu(server) - cpu}


def _cpu(server: Server | None) -> float:
    """Return the CPU seconds that the server has used."""
    if server is None or server.process is None:
        return 0.0
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def main() -> None:
    """Measure, and print tables."""
    with tempfile.TemporaryDirectory() as folder:
        await _in_redis(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        await _in_dynamodb(moto(Path(folder)))


async def _in_dynamodb(server: Server) -> None:
    server.start()
    os.environ.update(server.environ)
    here, there = DynamoDBStore(TABLE), DynamoDBStore(TABLE)
    cost = await one_stream(here, there)
    await here.aclose()
    await there.aclose()
    server.stop()
    print(
        f"\nDynamoDB, {TOKENS} tokens, one viewer elsewhere: {cost.written:.0f} write units, "
        f"{cost.read:.0f} read units, ${cost.dollars_per_thousand:.3f} per 1,000 streams"
    )


async def _in_redis(folder: Path) -> None:
    print(f"\n{SECONDS:.0f} s, one viewer of each stream here and one elsewhere\n")
    print("| streams, blocks/s each | without a store: p50, p99 | here | elsewhere | added "
          "| CPU/block: producer, viewer, Redis; without | producer's ratio |")  # fmt: skip
    print("|---|---|---|---|---|---|---|")
    try:
        server = redis(folder)
    except NotHere as why:
        print(f"skipped: {why}")
        return
    server.start()
    try:
        for load in LOADS:
            print(_row(load, await _measure(None, load), await _measure(server, load)))
    finally:
        server.stop()


def _row(load: Load, alone: dict[str, Any], kept: dict[str, Any]) -> str:
    def ms(report: dict[str, Any]) -> str:
        return f"{report['p50'] * 1000:.1f}, {report['p99'] * 1000:.1f} ms"

    here, there, without = kept["here"], kept["there"], alone["here"]
    added = (there["p50"] - here["p50"]) * 1000, (there["p99"] - here["p99"]) * 1000
    spent = here["cpu"], there["cpu"], kept["server"], without["cpu"]
    cpu = [f"{seconds / load.blocks * 1e6:.0f}" for seconds in spent]
    return (
        f"| {load.streams}, {load.pace:g} | {ms(without)} | {ms(here)} | {ms(there)} "
        f"| {added[0]:.1f}, {added[1]:.1f} ms | {', '.join(cpu[:3])} µs; {cpu[3]} µs "
        f"| {here['cpu'] / without['cpu']:.2f} |"
    )


if __name__ == "__main__":
    if len(sys.argv) == 5:
        role = {"produce": _produce, "view": _view}[sys.argv[1]]
        uvloop.run(role(sys.argv[2], Load(int(sys.argv[3]), float(sys.argv[4]))))
    else:
        asyncio.run(main())
