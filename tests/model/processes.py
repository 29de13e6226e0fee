"""Three processes and one stream, with hub, keeper, feed and viewers as they are.

A plan says what becomes of which request to the store. Everything else is deterministic: the
event loop's time is virtual, so that a plan has one outcome.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, cast

from tests.fakes.framing import framed
from tests.fakes.memory_store import Follower, MemoryStore, Writer
from tests.fakes.source import Taking
from tests.fakes.upstream import DONE, ROLE, STOP, text
from tests.fakes.virtual import run
from tests.streams.test_keeping import Tap
from tokenwire.dialects.chat import DIALECT
from tokenwire.errors import TokenwireError
from tokenwire.events import Error
from tokenwire.stores.contract import Batch, BatchSource, Store, alone
from tokenwire.stores.exceptions import StoreError
from tokenwire.stores.records import Cursor, End, EndReason, Meta, RecordId
from tokenwire.streams.hub import Hub
from tokenwire.streams.limits import Durability, Limits
from tokenwire.streams.policy import CONTINUE
from tokenwire.streams.pump import Source
from tokenwire.streams.stream import Stream, first_after

LEASE = 1.0
META = Meta("st_x", "me", "test", "chat", "m", 1)
BLOCKS = [ROLE, *(text(word) for word in "abcd"), STOP]
CANCELLED = End(EndReason.CANCELLED, Error("cancelled", "", status=499))
ReceivedEnd = tuple[RecordId, EndReason]
Ask = Callable[[], Awaitable[Any]]

NETWORK = ("refused", "unanswered", "late", "slow", "cut off", "outage", "full")
PROCESS = ("stuck", "killed", "cancel")
WRITES = {
    "create",
    "append",
    "heartbeat",
    "probe_write",
    "end_as_lost",
    "close",
    "claim",
    "name",
    "renew",
}
LOSSES = ("rollback 1", "rollback 2", "flush")


@dataclass(slots=True)
class Fate:
    """The fault of each request, by its number; and whether the store takes batches itself."""

    store: MemoryStore
    plan: Mapping[int, str]
    count: int = 0
    names: list[str] = field(default_factory=list)
    silent_until: dict[str, float] = field(default_factory=dict)
    waits_until: dict[str, float] = field(default_factory=dict)
    full_until: float = -1.0
    dead: set[str] = field(default_factory=set)
    had_end: bool = False
    running: set[asyncio.Task[Any]] = field(default_factory=set)
    takes: bool = False

    async def decide(self, who: str, name: str, ask: Ask, unanswered: Ask) -> Any:
        """Carry out a request of this process, or not.

        Args:
            who: The process.
            name: The method that it calls.
            ask: The request.
            unanswered: The same, but the process does not receive the response.
        """
        what = self.plan.get(self.count, "")
        self.names.append(f"{who} {name}")
        self.count += 1
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(0.001)
        await self._happen(what, who, now)
        if who in self.dead:
            await asyncio.Event().wait()
        await asyncio.sleep(self.waits_until.get(who, 0.0) - now)
        if what == "refused" or now < self.silent_until.get(who, -1.0):
            raise StoreError("refused")
        if name in WRITES and now < self.full_until:
            await asyncio.sleep(LEASE * 0.9)  # by a client that tries again late, and silently
            if asyncio.get_running_loop().time() < self.full_until:
                raise StoreError("denied")
        if what == "late":
            self.running.add(asyncio.create_task(self._later(unanswered)))
            await asyncio.sleep(LEASE / 2)
            raise StoreError("no answer in time")
        if what == "unanswered":
            await unanswered()
            raise StoreError("no answer")
        return await ask()

    async def _happen(self, what: str, who: str, now: float) -> None:
        match what:
            case "slow":
                self.waits_until[who] = now + LEASE * 0.4
            case "stuck":
                self.waits_until[who] = now + LEASE * 3
            case "killed":
                self.dead.add(who)
            case "cut off":
                self.silent_until[who] = now + LEASE * 1.6
            case "outage":
                self.silent_until |= dict.fromkeys(("here", "there"), now + LEASE * 1.6)
            case "full":
                self.full_until = now + LEASE * 2.3
            case _:
                await self._change(what)

    async def _change(self, what: str) -> None:
        if what == "cancel":
            with suppress(StoreError):
                await self.store.close(META.id, CANCELLED)
        elif what == "flush":
            self._lose(1000)
            self.store.logs.clear()
        elif what.startswith("rollback"):
            self._lose(int(what.removeprefix("rollback")))

    def _lose(self, count: int) -> None:
        log = self.store.logs.get(META.id)
        if log is not None:
            self.had_end |= log.end is not None
            del log.batches[-count:]

    async def _later(self, ask: Ask) -> None:
        await asyncio.sleep(LEASE * 0.8)
        with suppress(StoreError):
            await ask()


class Line:
    """One process's connection to the store."""

    def __init__(self, target: Any, fate: Fate, who: str) -> None:
        self._target = target
        self._fate = fate
        self._who = who

    def append_from(self, source: BatchSource) -> Awaitable[None]:
        """As ``Writer.append_from``: each batch is a request."""
        return Taking(self._take, source).append_from() if self._fate.takes else alone()

    async def _take(self, batch: Batch, floor: int) -> None:
        """Append a batch; a refusal is for the producer's own append, which comes next."""
        last = self._target.last
        try:
            await self.append(batch, floor)
        except StoreError:
            self._target.last = last
            raise

    def __getattr__(self, name: str) -> Any:
        """A request of this name, by way of its fate."""
        value = getattr(self._target, name)
        if not inspect.iscoroutinefunction(value):
            return value

        async def ask(*args: Any, **options: Any) -> Any:
            unanswered = getattr(copy(self._target), name)
            requests = (partial(one, *args, **options) for one in (value, unanswered))
            found = await self._fate.decide(self._who, name, *requests)
            is_place = isinstance(found, Writer | Follower)
            return Line(found, self._fate, self._who) if is_place else found

        return ask


@dataclass(slots=True)
class Client:
    """Reads the stream, and comes back where it was as long as it has no end.

    ``unconfirmed`` is whether the end came from a process whose store was degraded.
    """

    blocks: list[bytes] = field(default_factory=list)
    end: ReceivedEnd | None = None
    unconfirmed: bool = False
    refusals: list[str] = field(default_factory=list)

    async def watch(self, hub: Hub) -> None:
        """Read to the end, in as many responses as it takes."""
        while self.end is None:
            try:
                stream = await hub.find(META.id, "me")
                await self.read(hub, stream)
            except TokenwireError as error:
                self.refusals.append(error.code)
                if self.refusals.count("stream_not_found") > 40:
                    return
            await asyncio.sleep(0.2)

    async def read(self, hub: Hub, stream: Stream) -> None:
        """Read one response."""
        cursor = Cursor(RecordId(1, len(self.blocks))) if self.blocks else None
        await hub.reach(stream, cursor)
        with hub.watch(stream, max(1, first_after(stream, cursor))) as reader:
            while reader.ended is None and reader.interruption is None:
                await reader.wait(60)
                self.blocks += reader.take()
            if reader.ended is not None:
                self.end = (reader.ended[0], reader.ended[1].reason)
                # The instant at which it was offered: no request was made in between.
                self.unconfirmed = stream.is_ours and hub.store_status == "degraded"


@dataclass(slots=True)
class Outcome:
    """What each client and the store have at the end."""

    caller: Client
    beside: Client
    viewer: Client
    late: Client
    requests: list[str]
    had_end: bool
    producer: ReceivedEnd | None

    def clients(self) -> list[tuple[str, Client]]:
        """Those who read it, by name."""
        return [
            ("caller", self.caller),
            ("viewer here", self.beside),
            ("viewer elsewhere", self.viewer),
            ("late viewer", self.late),
        ]


async def _speak(tap: Tap) -> None:
    for block in BLOCKS:
        tap.send(block)
        await asyncio.sleep(0.15)
    tap.send(DONE)


def _hub(fate: Fate, who: str) -> Hub:
    store = cast("Store", Line(fate.store, fate, who))
    return Hub(Limits(), durability=Durability(store, LEASE))


async def _over(client: asyncio.Task[None], fate: Fate, who: str) -> None:
    async with asyncio.timeout(60):
        while not client.done() and who not in fate.dead:
            await asyncio.sleep(0.1)


async def _play(plan: Mapping[int, str], *, takes: bool) -> Outcome:
    fate, tap = Fate(MemoryStore(), plan, takes=takes), Tap()
    here, there, later = (_hub(fate, who) for who in ("here", "there", "later"))
    caller, beside, viewer, late = Client(), Client(), Client(), Client()
    speaking = asyncio.create_task(_speak(tap))
    watching = asyncio.create_task(viewer.watch(there))
    stream = await here.start(META, Source(framed(tap), DIALECT.decoder()), CONTINUE)
    calling = asyncio.create_task(caller.read(here, stream))
    joining = asyncio.create_task(beside.watch(here))
    requests = fate.names
    await _over(watching, fate, "there")
    await _over(calling, fate, "here")
    await _over(joining, fate, "here")
    await asyncio.sleep(LEASE * 4)
    fate.plan = {}
    if META.id in fate.store.logs:
        await _over(asyncio.create_task(late.watch(later)), fate, "later")
    end = None if stream.end is None else (stream.tail.last, stream.end.reason)
    speaking.cancel()
    return Outcome(caller, beside, viewer, late, list(requests), fate.had_end, end)


@cache
def single(number: int, fault: str, *, takes: bool = False) -> Outcome:
    """The outcome of this fault at the request of this number; played once.

    Raises:
        TimeoutError: A task waits for ever.
    """
    return play({number: fault}, takes=takes)


def play(plan: Mapping[int, str], *, takes: bool = False) -> Outcome:
    """The outcome of the plan.

    Args:
        plan: The faults.
        takes: Whether the store takes batches itself.

    Raises:
        TimeoutError: A task waits for ever.
    """
    return run(lambda: _play(plan, takes=takes))
