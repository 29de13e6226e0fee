"""Producers and viewers in processes of their own; producers that are killed.

``make soak`` runs more rounds: TOKENWIRE_SOAK says how many times as many.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.stores.servers import Server
from tokenwire.streams.stream import new_id

pytestmark = pytest.mark.timed

SOAK = int(os.environ.get("TOKENWIRE_SOAK", "0"))
LEASE = 2.0
BACKENDS = ["redis", "valkey", "moto"]


def rounds(few: int, many: int) -> int:
    """As many as there is time for."""
    return many * SOAK if SOAK else few


class Node:
    """A process that was started, and the lines that it says."""

    def __init__(self, process: Process) -> None:
        self.process = process

    async def tell(self, **what: Any) -> None:
        """Tell it what to do."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        await self.process.stdin.drain()

    async def hear(self, seconds: float = 30) -> dict[str, Any]:
        """What it says next."""
        assert self.process.stdout is not None
        async with asyncio.timeout(seconds):
            line = await self.process.stdout.readline()
        assert line, "the process is gone"
        found: dict[str, Any] = json.loads(line)
        return found


@asynccontextmanager
async def node(server: Server) -> AsyncIterator[Node]:
    """A process at this server."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.stores.node", server.url, str(LEASE)),
        stdin=PIPE,
        stdout=PIPE,
        limit=1 << 24,
        env={**os.environ, **server.environ},
    )
    found = Node(process)
    try:
        assert await found.hear() == {"ready": True}
        yield found
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def nodes(server: Server, count: int) -> AsyncIterator[list[Node]]:
    """Several, started together."""
    async with asyncio.TaskGroup() as starting:
        entered = [node(server) for _ in range(count)]
        tasks = [starting.create_task(one.__aenter__()) for one in entered]
    try:
        yield [task.result() for task in tasks]
    finally:
        await asyncio.gather(*(one.__aexit__(None, None, None) for one in entered))


async def watched(viewers: list[Node], spread: float, blocks: int, stream_id: str) -> None:
    """Tell twenty viewers, in these processes, to come within so many seconds."""
    for index, one in enumerate(viewers):
        count = 20 // len(viewers) + (index < 20 % len(viewers))
        command = {"do": "watch", "id": stream_id, "viewers": count}
        await one.tell(**command, spread=spread, blocks=blocks)


async def reports(viewers: list[Node], seconds: float = 40) -> list[dict[str, Any]]:
    """Their reports."""
    answers = await asyncio.gather(*(one.hear(seconds) for one in viewers))
    return [viewer for one in answers for viewer in one["viewers"]]


@pytest.mark.timeout(3600 if SOAK else 60)
@pytest.mark.parametrize("kind", BACKENDS)
async def test_twenty_viewers_in_three_processes(
    kind: str, server_of: Callable[[str], Server]
) -> None:
    """Whenever they join, and however often they come back: each block once, in order, the end."""
    async with nodes(server_of(kind), 4) as (producer, *viewers):
        for _ in range(rounds(4, 200)):
            stream_id, blocks = new_id(), random.randint(5, 120)
            pause = random.choice([0, 0.002, 0.02])
            await producer.tell(do="produce", id=stream_id, blocks=blocks, pause=pause)
            assert await producer.hear() == {"started": stream_id}
            await watched(viewers, pause * blocks * 0.6, blocks, stream_id)
            reported = await reports(viewers)
            ended = {"reason": "done", "at": f"1-{blocks + 1}"}
            assert await producer.hear() == {"id": stream_id, **ended}
            assert reported == [{**ended, "code": None, "blocks": blocks, "faults": []}] * 20


@pytest.mark.timeout(3600 if SOAK else 60)
@pytest.mark.parametrize("kind", BACKENDS)
async def test_producer_is_killed(kind: str, server_of: Callable[[str], Server]) -> None:
    """``kill -9`` at any point: all end with the same last block and the error ``lost``."""
    server = server_of(kind)
    async with nodes(server, 3) as viewers:
        for _ in range(rounds(2, 100)):
            stream_id, blocks = new_id(), 400
            async with node(server) as producer:
                await producer.tell(do="produce", id=stream_id, blocks=blocks, pause=0.01)
                await producer.hear()
                await watched(viewers, 0.2, blocks, stream_id)
                await asyncio.sleep(random.uniform(0.05, 0.8))
                producer.process.kill()
                died = time.monotonic()
                reported = await reports(viewers)
                took = time.monotonic() - died
            assert {viewer["code"] for viewer in reported} == {"lost"}
            assert len({(viewer["at"], viewer["blocks"]) for viewer in reported}) == 1
            assert reported[0]["at"] == "2-0"
            assert all(viewer["faults"] == [] for viewer in reported)
            assert took < LEASE * 1.5 + 2


@pytest.mark.timeout(3600 if SOAK else 60)
@pytest.mark.parametrize("kind", BACKENDS)
async def test_producer_comes_back_from_the_dead(
    kind: str, server_of: Callable[[str], Server]
) -> None:
    """Stopped for longer than a lease, as in a frozen environment, it has lost its stream.

    It finds that out when it goes on: nothing that it has still to say is ever read.
    """
    server = server_of(kind)
    async with nodes(server, 3) as (producer, *viewers):
        for _ in range(rounds(1, 20)):
            stream_id, blocks = new_id(), 1000
            await producer.tell(do="produce", id=stream_id, blocks=blocks, pause=0.02)
            await producer.hear()
            await watched(viewers, 0.1, blocks, stream_id)
            await asyncio.sleep(random.uniform(0.2, 0.5))
            producer.process.send_signal(signal.SIGSTOP)
            try:
                reported = await reports(viewers)
            finally:
                producer.process.send_signal(signal.SIGCONT)
            assert await producer.hear() == {"id": stream_id, "reason": "lost", "at": "2-0"}
            assert {(viewer["code"], viewer["at"]) for viewer in reported} == {("lost", "2-0")}
            assert len({viewer["blocks"] for viewer in reported}) == 1
            await watched(viewers, 0.1, blocks, stream_id)
            again = await reports(viewers)
            assert {viewer["blocks"] for viewer in again} == {reported[0]["blocks"]}
            assert all(viewer["faults"] == [] for viewer in [*reported, *again])
