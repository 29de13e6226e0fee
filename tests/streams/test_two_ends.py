"""The end that the store has is the end: also for those who read the stream where it runs."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.memory_store import MemoryStore
from tests.fakes.upstream import DONE, ROLE, STOP, text
from tests.fakes.virtual import VirtualLoop
from tests.streams.test_keeping import Tap, Trouble, hub, next_of, over, start
from tokenwire.gateway.cursors import is_finished
from tokenwire.stores.records import Cursor, End, EndReason, RecordId
from tokenwire.streams.blocks import Bounds
from tokenwire.streams.hub import Hub
from tokenwire.streams.stream import Stream, first_after
from tokenwire.streams.tail import Tail

CANCELLED = End(EndReason.CANCELLED)
LOST = End(EndReason.LOST)
COMPLETE = End(EndReason.DONE, block=DONE)


class Stuck:
    """A store that does not answer while it is on, and carries out the requests afterwards."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.free.set()

    async def __call__(self) -> None:
        """Wait, while it is on."""
        await asyncio.sleep(0)
        await self.free.wait()


async def end_seen(at: Hub, stream: Stream) -> tuple[RecordId, End]:
    """The end, as a reader from the beginning receives it."""
    with at.watch(stream, 1) as reader:
        while reader.ended is None:
            await next_of(reader)
            reader.take()
        return reader.ended


async def after(turns: int, at: Hub, stream: Stream) -> None:
    """Cancel the stream after so many turns of the event loop."""
    for _ in range(turns):
        await asyncio.sleep(0)
    await at.cancel(stream)


async def test_cancels_that_race_with_the_end() -> None:
    """The caller, a viewer elsewhere, a late one and the store have one end, whichever it is."""
    store = MemoryStore(Trouble())
    here, there = hub(store), hub(store)
    reasons: set[EndReason] = set()
    for turns in range(60):
        tap = Tap()
        stream = await start(here, tap)
        tap.send(ROLE, text("a"))
        remote = await there.find(stream.meta.id, "me")
        watching = asyncio.create_task(end_seen(here, stream))
        if turns % 2:
            tap.send(STOP, DONE)
        cancelling = asyncio.create_task(after(turns // 2 % 10, there, remote))
        for _ in range(turns // 4 % 6):
            await asyncio.sleep(0)
        tap.send(STOP, DONE)
        at, end = await watching
        await cancelling
        await here.settled(stream)
        log = store.logs[stream.meta.id].end
        assert log is not None
        assert (at, end) == (log.last, log.end)
        assert await over(remote) == end
        assert stream.end == end
        reasons.add(end.reason)
    assert reasons == {EndReason.DONE, EndReason.CANCELLED}
    await here.aclose()
    await there.aclose()


async def test_producer_that_wakes_after_its_end() -> None:
    """It reads its provider to the end, and its own caller gets the end of all others: lost."""
    store, tap = MemoryStore(), Tap()
    here = hub(store)
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    await stream.tail.reach(2, 5)
    watching = asyncio.create_task(end_seen(here, stream))
    await asyncio.sleep(0.05)
    await store.close(stream.meta.id, LOST)
    tap.send(text("b") + STOP + DONE)

    assert await watching == (RecordId(2, 0), LOST)
    await here.aclose()


async def test_store_that_does_not_answer_delays_an_end_for_a_moment() -> None:
    """Then the caller gets the provider's end. That is where ends can differ."""
    stuck, tap = Stuck(), Tap()
    logs = MemoryStore()
    here = hub(MemoryStore(stuck, logs=logs.logs))
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    await stream.tail.reach(2, 5)
    await asyncio.sleep(0.05)
    stuck.free.clear()
    tap.send(STOP, DONE)
    at, end = await end_seen(here, stream)
    assert (at, end) == (RecordId(1, 4), COMPLETE)
    assert is_finished(stream, Cursor(at))

    # Meanwhile another process has ended it. A client that reconnects gets that end.
    await logs.close(stream.meta.id, CANCELLED)
    stuck.free.set()
    await here.settled(stream)
    assert (stream.tail.last, stream.end) == (RecordId(2, 0), CANCELLED)
    assert stream.tail.withdrawn == at
    assert not is_finished(stream, Cursor(at))
    assert first_after(stream, Cursor(at)) == stream.tail.next
    assert await end_seen(here, stream) == (RecordId(2, 0), CANCELLED)
    await here.aclose()


async def test_failing_store_delays_no_end() -> None:
    """If the store is known to fail, no client waits for it."""
    trouble, tap = Trouble(), Tap()
    here = hub(MemoryStore(trouble))
    trouble.on = True
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    async with asyncio.timeout(5):
        while here.store_status == "ok":
            await asyncio.sleep(0.01)
    tap.send(STOP, DONE)
    await end_seen(here, stream)
    assert stream.tail.offered is None
    await here.aclose()


async def test_keeper_that_gives_up_delays_no_end() -> None:
    """A stream that cannot be kept ends for its callers as its provider ended it."""
    store, tap = MemoryStore(), Tap()
    here = hub(store)
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    await stream.tail.reach(2, 5)
    await asyncio.sleep(0.05)
    log = store.logs[stream.meta.id]

    async def surprise() -> None:
        raise RuntimeError

    store.trouble = surprise
    tap.send(STOP, DONE)
    assert await end_seen(here, stream) == (RecordId(1, 4), COMPLETE)
    assert log.end is None
    assert stream.copy.complete is False
    await here.aclose()


async def test_end_is_offered_before_it_is_sent() -> None:
    """What takes the end to the store has it at once, readers once it is accepted."""
    tail = Tail(Bounds(), end_wait=lambda: 60)
    tail.append([b"a"])
    keeper = tail.unattached_reader()
    with tail.attach(1) as reader:
        tail.offer(COMPLETE)
        tail.offer(CANCELLED)
        tail.append([b"b"])
        assert (reader.take(), keeper.take()) == ([b"a"], [b"a"])
        assert (reader.ended, tail.over, tail.closed) == (None, False, True)
        assert keeper.ended is not None
        assert keeper.ended[1] == COMPLETE
        assert not await reader.wait(0.001)
        assert await keeper.wait(60)
        tail.finish(COMPLETE, RecordId(1, 2))
        assert reader.ended == (RecordId(1, 2), COMPLETE)


@pytest.mark.parametrize("answers", [True, False])
async def test_frozen_process_looks_at_its_store_first(answers: bool) -> None:
    """After a pause the answer may be there: the timer alone does not decide, but once."""
    tail = Tail(Bounds(), end_wait=lambda: 0.02)
    tail.offer(COMPLETE)
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.freeze(0.1)  # as SIGSTOP, or a frozen environment
    await asyncio.sleep(0)
    assert tail.end is None
    if answers:
        tail.finish(LOST, RecordId(2, 0))
    await asyncio.wait_for(tail.unattached_reader().over(), 5)
    assert tail.end == (LOST if answers else COMPLETE)


def test_end_of_the_store_counts_after_another() -> None:
    """The first end wins, but for the store's, which is the first wherever it matters."""
    tail = Tail(Bounds())
    assert tail.finish(COMPLETE)
    assert not tail.finish(CANCELLED)
    assert not tail.finish(COMPLETE, RecordId(1, 1))
    assert tail.finish(LOST, RecordId(2, 0))
    assert not tail.finish(LOST, RecordId(2, 0))
    assert (tail.end, tail.last, tail.withdrawn) == (LOST, RecordId(2, 0), RecordId(1, 1))
