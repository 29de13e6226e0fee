"""Two hubs at one store, and a stream whose blocks the test sends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.fakes.memory_store import MemoryStore
from tests.fakes.upstream import DONE, ROLE, STOP, text
from tests.stores.conftest import store_at
from tests.stores.damage import Damage, OfMemory, damage_of
from tests.stores.servers import Server
from tests.streams.test_keeping import Tap, over, read, start
from tokenwire.stores.contract import Store
from tokenwire.streams.hub import Hub
from tokenwire.streams.limits import Durability, Limits
from tokenwire.streams.policy import CONTINUE, OnDisconnect
from tokenwire.streams.stream import Stream

LEASE = 1.0
KINDS = ["redis", "valkey", "dynamodb_local"]


@dataclass(slots=True)
class Scene:
    """A store, what can befall it, and hubs of several processes.

    Args:
        store: The producer's.
        other: The same, as another process has it.
        damage: What can befall it.
        here: The producer's hub.
        there: Another process's hub.
    """

    store: Store
    other: Store
    damage: Damage
    here: Hub
    there: Hub

    async def begin(self, *words: str, policy: OnDisconnect = CONTINUE) -> tuple[Stream, Tap]:
        """A stream that has sent this, one batch a word, and is in the store so far."""
        tap = Tap()
        stream = await start(self.here, tap, policy)
        tap.send(ROLE)
        await self.kept(stream, 1)
        for number, word in enumerate(words, 2):
            tap.send(text(word))
            await self.kept(stream, number)
        return stream, tap

    async def kept(self, stream: Stream, count: int, seconds: float = 10) -> None:
        """Wait for so many records to be in the store, as a new reader gets them."""
        async with asyncio.timeout(seconds):
            while await self.stored(stream) < count:
                await asyncio.sleep(0.02)

    async def stored(self, stream: Stream) -> int:
        """How many records of the stream the store has, its end among them; -1 for no log."""
        reader, found = await self.other.open(stream.meta.id), 0
        if reader is None:
            return -1
        while batches := await reader.read(0):
            found += sum(len(batch.blocks) + (batch.end is not None) for batch in batches)
        return found

    async def late(self, stream: Stream) -> tuple[list[bytes], str]:
        """All that a process that comes late reads: the blocks, and how it ends."""
        hub = Hub(Limits(), durability=Durability(self.other, LEASE))
        try:
            remote = await hub.find(stream.meta.id, "me")
            blocks = await asyncio.wait_for(read(hub, remote), 10)
            end = remote.tail.end
            return blocks, end.reason if end is not None else ""
        finally:
            await hub.aclose()


def stream_of(*words: str) -> list[bytes]:
    """The blocks of a complete stream of these words."""
    return [ROLE, *map(text, words), STOP]


async def finish(tap: Tap, stream: Stream) -> None:
    """Let the provider end its answer, and wait for that."""
    tap.send(STOP, DONE)
    await over(stream)


@asynccontextmanager
async def scene(
    kind: str, server_of: Callable[[str], Server], environment: Callable[[Server], None]
) -> AsyncIterator[Scene]:
    """Two processes' hubs at a store of this kind."""
    if kind == "memory":
        memory = MemoryStore()
        store: Store = memory
        other: Store = memory
        damage: Damage = OfMemory(memory)
    else:
        server = server_of(kind)
        environment(server)
        store, other, damage = store_at(server), store_at(server), damage_of(server)
    here, there = (Hub(Limits(), durability=Durability(one, LEASE)) for one in (store, other))
    try:
        yield Scene(store, other, damage, here, there)
    finally:
        for hub in (here, there):
            await hub.aclose()
        for one in (store, other):
            await one.aclose()
        damage.close()


async def until(is_so: Callable[[], bool], seconds: float = 10) -> float:
    """Wait until it is so; how long that took, in seconds."""
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.01)
    return time.monotonic() - began
