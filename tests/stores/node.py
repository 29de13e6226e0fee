"""One process of several: lines of JSON tell it what to produce and what to watch.

``python -m tests.stores.node URL LEASE``, with what boto3 needs in the environment.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any, cast

from tests.fakes.framing import framed
from tests.fakes.upstream import DONE, ROLE, STOP, text
from tokenwire.dialects.chat import DIALECT
from tokenwire.errors import TokenwireError
from tokenwire.stores.contract import Batch, BatchSource, Store
from tokenwire.stores.dynamodb.store import DynamoDBStore
from tokenwire.stores.records import Cursor, End, Meta, RecordId
from tokenwire.stores.redis.store import RedisStore
from tokenwire.streams.hub import Hub
from tokenwire.streams.limits import Durability, Limits
from tokenwire.streams.policy import CONTINUE
from tokenwire.streams.pump import Source
from tokenwire.streams.stream import Stream, first_after


@dataclass(frozen=True, slots=True)
class Counting:
    """An upstream that counts, with pauses of up to ``pause`` seconds."""

    blocks: int
    pause: float

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """As a provider opens."""
        yield self._body()

    async def _body(self) -> AsyncIterator[bytes]:
        yield ROLE
        for number in range(2, self.blocks):
            yield text(str(number))
            if self.pause:
                await asyncio.sleep(random.uniform(0, self.pause))
        yield STOP
        yield DONE


def expected(number: int, blocks: int) -> bytes:
    """What block number so-and-so is."""
    return ROLE if number == 1 else STOP if number == blocks else text(str(number))


@dataclass(slots=True)
class Viewer:
    """One viewer, who loses the connection now and then and comes back with a cursor."""

    hub: Hub
    stream_id: str
    blocks: int
    at: RecordId = field(default_factory=lambda: RecordId(1, 0))
    faults: list[str] = field(default_factory=list)
    retries: int = 0

    async def watch(self) -> dict[str, Any]:
        """Read to the end and once more; return what was read."""
        viewed = await self.read()
        again = await self._found()
        if again.tail.last != self.at:
            self.faults.append(f"ended at {self.at}, and then at {again.tail.last}")
        return {**viewed, "blocks": again.tail.next - 1}

    async def read(self) -> dict[str, Any]:
        """Read to the end; return what was read."""
        while (end := await self._come()) is None:
            pass
        return {
            "reason": end.reason,
            "code": end.error.code if end.error else None,
            "at": str(self.at),
            "faults": self.faults,
        }

    async def _found(self) -> Stream:
        """The stream; where the store fails, or has just lost it, a moment later."""
        while True:
            try:
                return await self.hub.find(self.stream_id, "me")
            except TokenwireError as error:
                await self._again(error)

    async def _come(self) -> End | None:
        stream = await self._found()
        await self.hub.reach(stream, Cursor(self.at))
        try:
            return await self._sit(stream, random.choice([1_000_000, 3, 10]))
        except TokenwireError as error:
            await self._again(error)
        return None

    async def _again(self, error: TokenwireError) -> None:
        if not self.retries:
            raise error
        self.retries -= 1
        await asyncio.sleep(0.1)

    async def _sit(self, stream: Stream, patience: int) -> End | None:
        first = first_after(stream, Cursor(self.at))
        with self.hub.watch(stream, first) as reader:
            for _ in range(patience):
                await reader.wait(30)
                before = reader.position
                for number, block in enumerate(reader.take(4096), before):
                    self._check(number, block)
                if reader.interruption is not None and not reader.has_more:
                    await asyncio.sleep(0.05)
                    return None
                if (ended := reader.ended) is not None:
                    self.at = ended[0]
                    return ended[1]
        return None

    def _check(self, number: int, block: bytes) -> None:
        if number != self.at.seq + 1:
            self.faults.append(f"{number} came after {self.at.seq}")
        if block != expected(number, self.blocks):
            self.faults.append(f"{number} is not what was sent")
        self.at = RecordId(1, number)


class Heard:
    """A store, and for how long each log's producer was silent in it."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.silences: dict[str, Silent] = {}

    def __getattr__(self, name: str) -> Any:
        """The store's own."""
        return getattr(self._store, name)

    async def create(self, meta: Meta, token: str) -> Any:
        """As ``Store.create``."""
        writer = await self._store.create(meta, token)
        return Silent(writer, self.silences.setdefault(meta.id, Silent(writer)))


class Silent:
    """A producer's hold on a log, and the longest time between two of its writes."""

    def __init__(self, writer: Any, first: Silent | None = None) -> None:
        self._writer = writer
        self._first = first or self
        self.longest = 0.0
        self.last = monotonic()

    def __getattr__(self, name: str) -> Any:
        """The writer's own."""
        return getattr(self._writer, name)

    async def append(self, batch: Batch, floor: int = 1) -> None:
        """As ``Writer.append``."""
        await self._writer.append(batch, floor)
        self._first.wrote()

    def append_from(self, source: BatchSource) -> Awaitable[None]:
        """As ``Writer.append_from``."""
        following: Awaitable[None] = self._writer.append_from(Heeded(source, self._first.wrote))
        return following

    async def heartbeat(self) -> None:
        """As ``Writer.heartbeat``."""
        await self._writer.heartbeat()
        self._first.wrote()

    def wrote(self) -> None:
        """One of its writes was taken, or it has found out that none will be."""
        now = monotonic()
        self.longest, self.last = max(self.longest, now - self.last), now


class Heeded:
    """A stream, as a store takes batches of it; each that it takes is noted."""

    def __init__(self, source: BatchSource, wrote: Callable[[], None]) -> None:
        self._source = source
        self._wrote = wrote

    def __getattr__(self, name: str) -> Any:
        """The stream's own."""
        return getattr(self._source, name)

    def took(self, batch: Batch) -> bool:
        """As ``BatchSource.took``."""
        self._wrote()
        return self._source.took(batch)


async def _start(hub: Hub, command: dict[str, Any]) -> Stream:
    meta = Meta(command["id"], "me", "test", "chat", "m", 1)
    source = Source(framed(Counting(command["blocks"], command["pause"])), DIALECT.decoder())
    return await hub.start(meta, source, CONTINUE)


async def perform(store: Heard, hub: Hub, command: dict[str, Any]) -> dict[str, Any]:
    """Run a stream until the store has its end; that end, and the one that its caller received."""
    stream = await _start(hub, command)
    caller = asyncio.create_task(Viewer(hub, command["id"], command["blocks"], retries=10).read())
    await stream.copy.settled()
    silent = store.silences.get(command["id"])
    if silent is not None:
        silent.wrote()
    return {
        "id": command["id"],
        "at": str(stream.tail.last),
        "caller": await caller,
        "silent": silent.longest if silent is not None else 0.0,
    }


async def produce(hub: Hub, command: dict[str, Any]) -> dict[str, Any]:
    """Run a stream to its end."""
    stream = await _start(hub, command)
    say({"started": command["id"]})
    if stream.task is not None:
        await asyncio.wait([stream.task])
    await hub.settled(stream)
    await stream.tail.unattached_reader().over()
    assert stream.tail.end is not None
    return {"id": command["id"], "reason": stream.tail.end.reason, "at": str(stream.tail.last)}


async def watch(hub: Hub, command: dict[str, Any]) -> dict[str, Any]:
    """Watch a stream as many viewers, who come within ``spread`` seconds."""

    async def one() -> dict[str, Any]:
        await asyncio.sleep(random.uniform(0, command["spread"]))
        viewer = Viewer(hub, command["id"], command["blocks"], retries=command.get("retries", 0))
        return await viewer.watch()

    return {
        "id": command["id"],
        "viewers": await asyncio.gather(*(one() for _ in range(command["viewers"]))),
    }


def say(what: dict[str, Any]) -> None:
    """One line to the process that started this one."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def explain(hub: Hub, command: dict[str, Any]) -> dict[str, Any]:
    """Where each task waits: of a process that does not answer."""
    del hub, command
    return {"waits": sorted(map(_place_of, asyncio.all_tasks()))}


def _place_of(task: asyncio.Task[Any]) -> str:
    """A task's name, and its frames, the innermost last."""
    place: Any = task.get_coro()
    frames: list[str] = []
    while place is not None and (frame := getattr(place, "cr_frame", None)) is not None:
        frames.append(f"{place.__qualname__}:{frame.f_lineno}")
        place = place.cr_await
    return f"{task.get_name()}: {' > '.join(frames)}"


async def main(url: str, lease: float) -> None:
    """Carry out commands until standard input ends."""
    scheme, _, place = url.partition("://")
    store = Heard(DynamoDBStore(place) if scheme == "dynamodb" else RedisStore(url))
    await store.prepare()
    hub = Hub(Limits(), durability=Durability(cast("Store", store), lease))
    lines = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(lines)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    jobs: dict[str, Any] = {
        "produce": produce,
        "perform": partial(perform, store),
        "watch": watch,
        "explain": explain,
    }
    say({"ready": True})
    async with asyncio.TaskGroup() as tasks:
        while line := await lines.readline():
            command = json.loads(line)
            tasks.create_task(_report(jobs[command["do"]](hub, command)))
    await hub.aclose()
    await store.aclose()


async def _report(work: Any) -> None:
    say(await work)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2])))
