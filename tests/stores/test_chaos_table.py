"""The table of store faults in ``docs/operate.md``: each of its cells is a test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from math import inf
from pathlib import Path

import pytest

from tests.fakes.memory_store import MemoryStore
from tests.fakes.upstream import DONE, STOP, text
from tests.fakes.virtual import run
from tests.stores.scene import stream_of
from tests.streams.test_keeping import Tap, Trouble, start
from tokenwire.errors import TokenwireError
from tokenwire.streams.hub import Hub
from tokenwire.streams.limits import Durability, Limits
from tokenwire.streams.stream import Stream

LEASE = 0.5
_PATIENCE = LEASE * 4
"""Seconds after a 404 in which the stream may still follow."""
ROLES = ["its caller", "a viewer here", "a viewer elsewhere", "a late viewer elsewhere"]
COMPLETE = stream_of("a", "b")


@dataclass(slots=True)
class World:
    """Two processes at one store, each with troubles of its own."""

    here: Hub
    there: Hub
    their_store: MemoryStore
    memory: MemoryStore
    ours: Trouble
    theirs: Trouble
    denied: Trouble
    stream: Stream
    tap: Tap
    copy: object = None

    async def away(self, seconds: float, *, for_all: bool = True) -> None:
        """The store does not answer."""
        self.ours.on, self.theirs.on = True, for_all
        self.tap.send(text("b"))
        await asyncio.sleep(seconds)
        self.ours.on = self.theirs.on = False

    def die(self) -> None:
        """The producer's process is killed, as far as the store can tell."""
        self.stream.copy.stop()


async def short(at: World) -> None:
    """Does not answer for half a lease."""
    await at.away(LEASE / 2)


async def long(at: World) -> None:
    """Does not answer for three."""
    await at.away(LEASE * 3)


async def partition(at: World) -> None:
    """Does not answer this process alone."""
    await at.away(LEASE * 3, for_all=False)


async def no_writes(at: World) -> None:
    """Answers reads alone."""
    at.denied.on = True
    at.tap.send(text("b"))
    await asyncio.sleep(LEASE * 3)
    at.denied.on = False


async def emptied(at: World) -> None:
    """Has lost everything."""
    at.tap.send(text("b"))
    at.memory.flush()


async def in_the_past(at: World) -> None:
    """Is what it was before the last block."""
    log = at.memory.logs[at.stream.meta.id]
    del log.batches[-1:]
    at.tap.send(text("b"))


async def headless(at: World) -> None:
    """Has lost the one of a stream's two keys."""
    at.tap.send(text("b"))
    at.memory.logs[at.stream.meta.id].headless = True


async def without_batches(at: World) -> None:
    """Has lost the other."""
    at.tap.send(text("b"))
    at.memory.logs[at.stream.meta.id].batches.clear()


async def emptied_and_dead(at: World) -> None:
    """Has lost everything, and so has the process."""
    at.die()
    at.memory.flush()


async def past_and_dead(at: World) -> None:
    """The store has lost the last batch, and the process is dead."""
    at.die()
    del at.memory.logs[at.stream.meta.id].batches[-1:]


FAULTS: dict[str, Callable[[World], Awaitable[None]]] = {
    "away for less than a lease": short,
    "away for longer": long,
    "away for longer, for the producer alone": partition,
    "takes no writes (full, throttled, denied)": no_writes,
    "emptied (restart, `FLUSHALL`)": emptied,
    "back in time (failover, older snapshot)": in_the_past,
    "one key evicted: `:about`": headless,
    "one key evicted: `:log`": without_batches,
    "emptied, and the producer dead": emptied_and_dead,
    "back in time, and the producer dead": past_and_dead,
}


def documented() -> dict[str, list[str]]:
    """The table, as operators read it."""
    page = Path("docs/operate.md").read_text()
    rows = page.partition("| The store is |")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]
    return {first.strip(): rest for first, *rest in cells}


def test_table_has_every_fault_and_role() -> None:
    """No row without its tests, and no test without its row."""
    assert list(documented()) == list(FAULTS)
    assert all(len(cells) == len(ROLES) for cells in documented().values())


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """A stream that has sent one word, and is in the store so far."""
    ours, theirs, denied = Trouble(), Trouble(), Trouble()
    memory = MemoryStore(denied=denied)
    stores = [MemoryStore(one, logs=memory.logs, denied=denied) for one in (ours, theirs)]
    here, there = (Hub(Limits(), durability=Durability(one, LEASE)) for one in stores)
    tap = Tap()
    stream = await start(here, tap)
    tap.send(*stream_of("a")[:2])
    async with asyncio.timeout(5):
        while memory.logs[stream.meta.id].last.seq < 2:
            await asyncio.sleep(0.01)
    yield World(here, there, stores[1], memory, ours, theirs, denied, stream, tap)
    await here.aclose()
    await there.aclose()


async def watch(hub: Hub, stream: Stream, blocks: list[bytes]) -> str:
    """Read on; how it ends, or what interrupts it."""
    with hub.watch(stream, len(blocks) + 1) as reader:
        while True:
            await reader.wait(10)
            blocks += reader.take()
            if reader.ended is not None:
                reason = str(reader.ended[1].reason)
                return "complete" if (reason, blocks) == ("done", COMPLETE) else reason
            if reader.interruption is not None and not reader.has_more:
                return reader.interruption.code


async def visit(hub: Hub, stream_id: str) -> str:
    """Connect, and again after each failure, until there is an end; return what was received."""
    blocks: list[bytes] = []
    found: list[str] = []
    first_miss = inf
    async with asyncio.timeout(10):
        while not found or found[-1] in ("store_unavailable", "404"):
            try:
                result = await watch(hub, await hub.find(stream_id, "me"), blocks)
            except TokenwireError as error:
                result = "404" if error.status == 404 else error.code
            await asyncio.sleep(0.05)
            now = asyncio.get_running_loop().time()
            if result != "404" or found.count("404") < 1:
                found.append(result)
                first_miss = min(first_miss, now) if result == "404" else first_miss
            elif len(found) > 1 or now > first_miss + _PATIENCE:
                break
    return ", then ".join(dict.fromkeys(found))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("fault", FAULTS)
def test_cell(fault: str, role: str) -> None:
    """What this one gets while this happens to the store."""
    assert run(partial(cell, fault, role)) == documented()[fault][ROLES.index(role)]


async def cell(fault: str, role: str) -> str:
    """What this role gets while this fault happens."""
    async with world() as at:
        stream_id = at.stream.meta.id
        visits: dict[str, asyncio.Task[str]] = {
            ROLES[0]: asyncio.create_task(watch(at.here, at.stream, [])),
            ROLES[2]: asyncio.create_task(visit(at.there, stream_id)),
        }
        await asyncio.sleep(0.05)
        harm = asyncio.ensure_future(FAULTS[fault](at))
        await asyncio.sleep(0)
        visits[ROLES[1]] = asyncio.create_task(watch(at.here, at.stream, []))
        late = Hub(Limits(), durability=Durability(at.their_store, LEASE))
        visits[ROLES[3]] = asyncio.create_task(visit(late, stream_id))
        await harm
        await asyncio.sleep(LEASE * 1.2 if "away" in fault else 0.05)
        if "dead" in fault:
            at.tap.send(text("b"))
        at.tap.send(STOP, DONE)
        got = await asyncio.wait_for(visits[role], 10)
        for one in visits.values():
            one.cancel()
        await asyncio.gather(*visits.values(), return_exceptions=True)
        await late.aclose()
        return got
