"""The keeper and the feed: what becomes of a stream between processes, by scripted trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from tests.fakes.framing import framed
from tests.fakes.memory_store import MemoryStore
from tests.fakes.upstream import DONE, ROLE, STOP, text
from tokenwire.dialects.chat import DIALECT
from tokenwire.errors import ClientError
from tokenwire.events import Error
from tokenwire.stores.contract import Batch, Keep, NameBinding, Pace
from tokenwire.stores.exceptions import StoreError
from tokenwire.stores.memory import StreamNames
from tokenwire.stores.records import Cursor, End, EndReason, Meta, RecordId
from tokenwire.stores.shared_secret import SharedSecret
from tokenwire.streams.blocks import Bounds
from tokenwire.streams.ending import CONNECTION_EXPIRED
from tokenwire.streams.hub import Hub
from tokenwire.streams.limits import Durability, Limits
from tokenwire.streams.policy import CANCEL, CONTINUE, OnDisconnect
from tokenwire.streams.pump import Source
from tokenwire.streams.reader import Reader
from tokenwire.streams.stream import Stream, first_after, new_id

LEASE = 0.6


class Tap:
    """An upstream that sends the test's blocks on command."""

    def __init__(self) -> None:
        self._data: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.closed = asyncio.Event()

    def send(self, *data: bytes) -> None:
        """Let this come."""
        for one in data:
            self._data.put_nowait(one)

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """As a provider opens."""
        try:
            yield self._body()
        finally:
            self.closed.set()

    async def _body(self) -> AsyncIterator[bytes]:
        while (data := await self._data.get()) is not None:
            yield data


def status(hub: Hub) -> str | None:
    """Whether its store works, by now."""
    return hub.store_status


class Trouble:
    """A store's trouble, switched on and off."""

    def __init__(self) -> None:
        self.on = False

    async def __call__(self) -> None:
        """Fail, while it is on."""
        await asyncio.sleep(0)
        if self.on:
            raise StoreError("scripted")


def hub(store: MemoryStore, limits: Limits | None = None, *, commit: bool = False) -> Hub:
    """One process's hub."""
    durability = Durability(store, LEASE, "commit" if commit else "send")
    return Hub(limits or Limits(), durability=durability)


async def start(at: Hub, tap: Tap, policy: OnDisconnect = CONTINUE) -> Stream:
    """A stream through the tap."""
    meta = Meta(new_id(), "me", "test", "chat", "m", 1)
    return await at.start(meta, Source(framed(tap), DIALECT.decoder()), policy)


async def read(at: Hub, stream: Stream, count: int = 1000) -> list[bytes]:
    """The first blocks of the stream, as one viewer takes them; all, if there are fewer."""
    found: list[bytes] = []
    with at.watch(stream, stream.tail.first) as reader:
        while len(found) < count and reader.ended is None:
            await next_of(reader)
            found += reader.take()
    return found


async def next_of(reader: Reader) -> None:
    """Wait for something to read."""
    async with asyncio.timeout(5):
        await reader.wait(5)


async def over(stream: Stream) -> End:
    """The end, once it is there."""
    async with asyncio.timeout(5):
        while stream.tail.end is None:
            await asyncio.sleep(0.005)
    return stream.tail.end


async def broken(stream: Stream) -> Error:
    """Why nothing more comes here, once that is so."""
    async with asyncio.timeout(5):
        while stream.tail.broken is None:
            await asyncio.sleep(0.005)
    return stream.tail.broken


async def test_another_process_reads_along() -> None:
    """From the beginning, while it runs, to the end; for two viewers the store is read once."""
    store, tap = MemoryStore(), Tap()
    here, there = hub(store), hub(store)
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    await read(here, stream, 2)
    remote, again = await asyncio.gather(
        there.find(stream.meta.id, "me"), there.find(stream.meta.id, None)
    )
    assert remote is again
    assert not remote.is_ours
    viewers = [asyncio.create_task(read(there, remote)) for _ in range(2)]
    tap.send(text("b"), STOP, DONE)
    assert await asyncio.gather(*viewers) == [[ROLE, text("a"), text("b"), STOP]] * 2
    assert (await over(remote), remote.tail.last) == (stream.tail.end, RecordId(1, 5))
    with pytest.raises(ClientError):
        await there.find(stream.meta.id, "you")
    await there.aclose()
    await here.aclose()


async def test_dead_producer_is_lost_and_its_zombie_fenced() -> None:
    """A process that stops renewing its lease has lost its stream, for itself too."""
    trouble, tap = Trouble(), Tap()
    logs = MemoryStore()
    cut_off = MemoryStore(trouble, logs=logs.logs)
    here, there = hub(cut_off), hub(logs)
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    await read(here, stream, 2)
    await asyncio.sleep(0.05)
    trouble.on = True
    tap.send(text("b"))
    remote = await there.find(stream.meta.id, "me")
    end = await over(remote)
    assert (end.reason, remote.tail.last) == (EndReason.LOST, RecordId(2, 0))
    assert stream.tail.end is None
    assert stream.copy.complete is False

    # Its own caller had received more than was ever stored: only the end is new for it.
    assert first_after(remote, Cursor(RecordId(1, 3))) == 4
    assert first_after(remote, Cursor(RecordId(2, 0))) == remote.tail.next
    with pytest.raises(ClientError):
        first_after(remote, Cursor(RecordId(3, 0)))
    trouble.on = False
    assert await over(stream) == end
    await asyncio.wait_for(tap.closed.wait(), 1)
    await here.aclose()
    await there.aclose()


async def test_idle_producer_is_not_lost() -> None:
    """A model may think for many leases: the pulse is heard."""
    store, tap = MemoryStore(), Tap()
    here, there = hub(store), hub(store)
    stream = await start(here, tap)
    remote = await there.find(stream.meta.id, "me")
    await asyncio.sleep(LEASE * 4)
    assert remote.tail.end is None
    tap.send(ROLE, text("a"), STOP, DONE)
    assert (await over(remote)).reason is EndReason.DONE
    await here.aclose()
    await there.aclose()


async def test_cancel_from_elsewhere() -> None:
    """Closes the upstream, though it is silent; both processes agree on the end."""
    store, tap = MemoryStore(), Tap()
    here, there = hub(store), hub(store)
    stream = await start(here, tap)
    remote = await there.find(stream.meta.id, "me")
    end = await there.cancel(remote)
    assert end is not None
    assert end.reason is EndReason.CANCELLED
    await asyncio.wait_for(tap.closed.wait(), 2)
    assert await over(stream) == end
    assert stream.tail.last == remote.tail.last == RecordId(2, 0)
    assert await there.cancel(remote) == await here.cancel(stream) == end
    await here.aclose()
    await there.aclose()


async def test_cancel_of_a_stream_that_is_over_changes_nothing() -> None:
    """Wherever it is tried, the answer is the end that there is."""
    store, tap = MemoryStore(), Tap()
    here, there = hub(store), hub(store)
    stream = await start(here, tap)
    tap.send(ROLE, text("a"), STOP, DONE)
    await over(stream)
    await here.settled(stream)
    for at in (here, there):
        found = await at.find(stream.meta.id, "me")
        assert await at.cancel(found) == End(EndReason.DONE, block=DONE)
    await here.aclose()
    await there.aclose()


async def test_viewer_elsewhere_keeps_the_stream() -> None:
    """With ``cancel``, a stream that is left here goes on for those there, and ends with them."""
    store, tap = MemoryStore(), Tap()
    here, there = hub(store), hub(store)
    stream = await start(here, tap, CANCEL)
    with here.watch(stream, 1):
        remote = await there.find(stream.meta.id, "me")
        viewer = asyncio.create_task(read(there, remote))
        await asyncio.sleep(0.05)
    await asyncio.sleep(LEASE * 3)
    assert stream.tail.end is None
    viewer.cancel()
    with suppress(asyncio.CancelledError):
        await viewer
    assert (await over(stream)).reason is EndReason.CANCELLED
    await here.aclose()
    await there.aclose()


async def test_lease_of_an_invisible_viewer() -> None:
    """A reader whose disconnect cannot be detected is not counted; its lease is, until its end."""
    store, tap = MemoryStore(), Tap()
    here = hub(store)
    stream = await start(here, tap, OnDisconnect(0.1))
    await here.leases.renew(stream.meta.id, "me", "v_1", 3600)
    with here.watch(stream, 1, counts_connection=False):
        await asyncio.sleep(0.3)
        assert stream.tail.end is None
        with pytest.raises(ClientError):
            await here.leases.end(stream.meta.id, "you", "v_1")
        await here.leases.end(stream.meta.id, None, "v_1")
        assert (await over(stream)).reason is EndReason.CANCELLED
    await here.aclose()


async def test_names_in_the_store_are_hashes() -> None:
    """Who can read the store learns neither a chat's id nor an idempotency key."""
    store, tap = MemoryStore(), Tap()
    here = hub(store)
    stream = await start(here, tap)
    await here.names.bind("my-chat", stream)
    await here.names.claim("idempotency my-key", "me", NameBinding(stream.meta.id))
    tap.send(ROLE, STOP, DONE)
    await over(stream)
    assert len(store.names) == 2
    assert {len(name) for name in store.names} == {64}
    assert "my-" not in repr(store.names) + repr(store.logs)
    await here.aclose()


async def test_ended_stream_keeps_no_viewers() -> None:
    """Hundreds of names for a stream that is over are no failure anywhere, and are not kept."""
    store, tap = MemoryStore(), Tap()
    here, there = hub(store), hub(store)
    stream = await start(here, tap)
    tap.send(ROLE, STOP, DONE)
    await over(stream)
    await here.settled(stream)
    for number in range(300):
        for process in (here, there):
            await process.leases.renew(stream.meta.id, None, f"viewer_{number}", 3600)
    assert store.logs[stream.meta.id].marks == {}
    assert (here.store_status, there.store_status) == ("ok", "ok")
    await here.aclose()
    await there.aclose()


async def test_store_that_fails_does_not_stop_the_stream() -> None:
    """The caller's own stream goes on; what the store missed it gets when it works again."""
    trouble, tap = Trouble(), Tap()
    store = MemoryStore(trouble)
    here = hub(store)
    trouble.on = True
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    assert await read(here, stream, 2) == [ROLE, text("a")]
    assert here.store_status == "degraded"
    assert not stream.copy.complete
    trouble.on = False
    tap.send(text("b"), STOP, DONE)
    await over(stream)
    await here.settled(stream)
    assert (stream.copy.complete, here.store_status) == (True, "ok")
    (log,) = store.logs.values()
    assert [block for batch in log.batches for block in batch.blocks] == [
        *(ROLE, text("a"), text("b"), STOP)
    ]
    await here.aclose()


async def test_store_that_says_that_a_stream_is_over_works() -> None:
    """Whatever it answers after a failure, it answers: other streams wait for its word again."""
    trouble = Trouble()
    store = MemoryStore(trouble)
    at, tap = hub(store), Tap()
    stream = await start(at, tap)
    tap.send(ROLE)
    await read(at, stream, 1)
    trouble.on = True
    tap.send(text("a"))
    async with asyncio.timeout(5):
        while status(at) == "ok":
            await asyncio.sleep(0.005)
    trouble.on = False
    await store.close(stream.meta.id, End(EndReason.CANCELLED, Error("cancelled", "")))
    assert (await over(stream)).reason is EndReason.CANCELLED
    assert status(at) == "ok"
    await at.aclose()


async def test_what_waits_for_the_store_is_bounded() -> None:
    """A store that stays away costs no memory; the stream just cannot be resumed elsewhere."""
    trouble, tap = Trouble(), Tap()
    store = MemoryStore(trouble)
    here = hub(store, Limits(Bounds(window=2000, retained=4000)))
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    await read(here, stream, 2)
    await asyncio.sleep(0.02)
    trouble.on = True
    for _ in range(200):
        tap.send(text("x" * 100))
        await asyncio.sleep(0)
    await asyncio.sleep(0.3)
    assert stream.tail.blocks.size <= 4000
    trouble.on = False
    await asyncio.wait_for(stream.copy.settled(), 5)
    assert stream.copy.complete is False
    assert stream.tail.end is None
    (log,) = store.logs.values()
    assert log.end is None
    await here.aclose()


async def test_store_that_forgot_everything() -> None:
    """Restarted empty, it gets the complete stream again; viewers elsewhere notice nothing."""
    store, tap = MemoryStore(), Tap()
    here, there = hub(store), hub(store)
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    remote = await there.find(stream.meta.id, "me")
    viewer = asyncio.create_task(read(there, remote, 2))
    await viewer
    store.logs.clear()
    tap.send(text("b"), STOP, DONE)
    await over(stream)
    await here.settled(stream)
    late = await hub(store).find(stream.meta.id, "me")
    assert late.tail.last == RecordId(1, 5)
    await here.aclose()
    await there.aclose()


async def test_viewer_of_a_store_that_fails() -> None:
    """Waits for a lease, then gets an error; the next lookup is a fresh one."""
    trouble, tap = Trouble(), Tap()
    logs = MemoryStore()
    here, there = hub(logs), hub(MemoryStore(trouble, logs=logs.logs))
    stream = await start(here, tap)
    remote = await there.find(stream.meta.id, "me")
    trouble.on = True
    why = await broken(remote)
    assert (why.code, why.retryable) == ("store_unavailable", True)
    assert remote.tail.end is None
    with pytest.raises(StoreError):
        await there.find(stream.meta.id, "me")
    trouble.on = False
    assert (await there.find(stream.meta.id, "me")).tail.end is None
    assert stream.tail.end is None
    await here.aclose()
    await there.aclose()


async def test_commit_first_shows_only_what_is_kept() -> None:
    """With ``durability = commit`` a viewer never has what a resume elsewhere would not give."""
    trouble, tap = Trouble(), Tap()
    store = MemoryStore(trouble)
    here = hub(store, commit=True)
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    await read(here, stream, 2)
    trouble.on = True
    tap.send(text("b"))
    await asyncio.sleep(0.1)
    assert stream.tail.next == 3
    trouble.on = False
    tap.send(STOP, DONE)
    assert (await over(stream)).reason is EndReason.DONE
    assert await read(here, stream) == [ROLE, text("a"), text("b"), STOP]
    await here.aclose()


async def test_commit_first_ends_where_nothing_can_be_kept() -> None:
    """After a lease without the store the stream is over, and its upstream closed."""
    trouble, tap = Trouble(), Tap()
    here = hub(MemoryStore(trouble), commit=True)
    stream = await start(here, tap)
    trouble.on = True
    tap.send(ROLE, text("a"))
    assert (await broken(stream)).code == "store_unavailable"
    assert stream.end is not None
    assert stream.end.reason is EndReason.ERROR
    await asyncio.wait_for(tap.closed.wait(), 1)
    await here.aclose()


async def test_pace_of_a_store() -> None:
    """The first block is written at once, the others together, the end without delay."""
    store, tap = MemoryStore(pace=Pace(0.2, 50)), Tap()
    here = hub(store)
    stream = await start(here, tap)
    tap.send(ROLE)
    await read(here, stream, 1)
    for i in range(20):
        tap.send(text(str(i)))
        await asyncio.sleep(0.005)
    tap.send(STOP, DONE)
    await over(stream)
    await here.settled(stream)
    (log,) = store.logs.values()
    assert log.batches[0] == Batch(1, 1, [ROLE])
    assert len(log.batches) <= 4
    assert sum(len(batch.blocks) for batch in log.batches) == 22
    await here.aclose()


async def test_names_are_found_from_anywhere() -> None:
    """And are their owner's."""
    store, tap = MemoryStore(), Tap()
    here, there = hub(store), hub(store)
    stream = await start(here, tap)
    await here.names.bind("chat", stream)
    assert await there.names.lookup("chat", "me") == NameBinding(stream.meta.id)
    assert await there.names.lookup("chat", "you") is None
    await here.aclose()
    await there.aclose()


async def test_shutdown_ends_its_own_and_leaves_others() -> None:
    """A process that goes away ends its streams, in the store too, and sends its viewers on."""
    store, tap, other = MemoryStore(), Tap(), Tap()
    here, there = hub(store), hub(store)
    mine, theirs = await start(here, tap), await start(there, other)
    remote = await here.find(theirs.meta.id, "me")
    with here.watch(remote, 1) as reader:
        await here.aclose()
        assert reader.stopped
        assert reader.interruption == CONNECTION_EXPIRED
    assert theirs.tail.end is None
    found = await there.find(mine.meta.id, "me")
    assert found.tail.end is not None
    assert found.tail.end.error is not None
    assert found.tail.end.error.code == "shutting_down"
    await there.aclose()


async def test_processes_agree_on_a_secret() -> None:
    """The first makes it; a name that was forgotten is made anew by the process that notices."""
    store = MemoryStore()
    one, two = SharedSecret(store), SharedSecret(store)
    secret = await one()
    assert await two() == secret == await one()
    assert len(secret) >= 32
    store.names.clear()
    three = SharedSecret(store)
    assert await three() != secret


async def test_idle_stream_is_written_anew() -> None:
    """A store that loses a stream whose model is silent gets it again."""
    store, tap = MemoryStore(), Tap()
    here = hub(store)
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    await read(here, stream, 2)
    await asyncio.sleep(0.05)
    store.logs.clear()
    async with asyncio.timeout(3):
        while stream.meta.id not in store.logs or not store.logs[stream.meta.id].batches:
            await asyncio.sleep(0.01)
    assert store.logs[stream.meta.id].batches == [Batch(1, 1, [ROLE, text("a")])]
    assert stream.copy.complete
    await here.aclose()


async def test_stream_that_was_silent_too_long_is_not_written_anew() -> None:
    """It may have been ended meanwhile, and the end forgotten: its producer is a zombie."""
    trouble, tap = Trouble(), Tap()
    store = MemoryStore(trouble, keep=Keep(ended=LEASE))
    here = hub(store)
    stream = await start(here, tap)
    tap.send(ROLE)
    await read(here, stream, 1)
    await asyncio.sleep(0.05)
    trouble.on = True
    await asyncio.sleep(LEASE * 2)
    store.logs.clear()
    trouble.on = False
    await asyncio.wait_for(stream.copy.settled(), 3)
    assert store.logs == {}
    assert stream.copy.complete is False
    assert stream.tail.end is None
    await here.aclose()


async def test_no_viewer_while_the_store_fails() -> None:
    """Viewers elsewhere are cut off; for a lease they may come back."""
    trouble, tap = Trouble(), Tap()
    store = MemoryStore(trouble)
    here = hub(store)
    stream = await start(here, tap, CANCEL)
    with here.watch(stream, 1):
        await here.leases.renew(stream.meta.id, "me", "v_1", 3600)
        trouble.on = True
    assert (await over(stream)).reason is EndReason.CANCELLED
    await asyncio.wait_for(tap.closed.wait(), 1)
    trouble.on = False
    await here.aclose()


async def test_end_is_offered_as_long_as_the_stream_is_held() -> None:
    """A store that was away when a stream ended gets all of it when it is back."""
    trouble, tap = Trouble(), Tap()
    store = MemoryStore(trouble)
    here = hub(store)
    trouble.on = True
    stream = await start(here, tap)
    tap.send(ROLE, text("a"), STOP, DONE)
    assert (await over(stream)).reason is EndReason.DONE
    await asyncio.sleep(LEASE * 2)
    was_kept, trouble.on = stream.copy.complete, False
    await here.settled(stream)
    assert (was_kept, stream.copy.complete) == (False, True)
    assert store.logs[stream.meta.id].end == Batch(1, 1, [ROLE, text("a"), STOP], stream.tail.end)
    await here.aclose()


async def test_fence_is_noticed_without_a_viewer() -> None:
    """A stream that waits for a viewer, and is cancelled elsewhere, ends as it was ended there."""
    store, tap = MemoryStore(), Tap()
    here = hub(store)
    stream = await start(here, tap, OnDisconnect(0.05))
    await here.leases.renew(stream.meta.id, "me", "v_1", 3600)
    with here.watch(stream, 1):
        pass
    await asyncio.sleep(0.2)
    _, end = await store.close(stream.meta.id, End(EndReason.LOST))
    assert await over(stream) == end
    await here.aclose()


async def test_names_without_a_store_last_as_long_as_their_stream() -> None:
    """And then stand for nothing; a name that has moved on stays."""
    names = StreamNames()
    one, two = NameBinding("st_1", "a"), NameBinding("st_2", "b")
    await names.name("x", one)
    assert await names.claim("x", two) == one
    assert await names.claim("x", two, instead_of=one) is None
    await names.name("y", one)
    names.forget("st_1")
    assert (await names.lookup("x"), await names.lookup("y")) == (two, None)


async def test_unexpected_errors_hang_no_client(caplog: pytest.LogCaptureFixture) -> None:
    """A fault of ours ends what is read elsewhere, and leaves alone what runs here."""
    surprised = False

    async def trouble() -> None:
        if surprised:
            raise RuntimeError("a private text")

    logs = MemoryStore()
    here = hub(MemoryStore(trouble, logs=logs.logs))
    there = hub(MemoryStore(trouble, logs=logs.logs))
    tap = Tap()
    stream = await start(here, tap)
    remote = await there.find(stream.meta.id, "me")
    surprised = True
    assert (await broken(remote)).code == "internal_error"
    tap.send(ROLE, text("a"), STOP, DONE)
    assert (await over(stream)).reason is EndReason.DONE
    await stream.copy.settled()
    assert stream.copy.complete is False
    assert "RuntimeError" in caplog.text
    assert "private" not in caplog.text
    surprised = False
    await here.aclose()
    await there.aclose()


async def test_commit_first_waits_for_a_slow_reader() -> None:
    """Past the window nothing more is read, committed or held; the lease is renewed meanwhile."""
    store, tap = MemoryStore(), Tap()
    bounds = Bounds(window=10_000, retained=20_000)
    here, there = hub(store, Limits(bounds), commit=True), hub(store)
    stream = await start(here, tap)
    tap.send(ROLE, text("a"), *(text("x" * 1000) for _ in range(400)))
    most = 0
    with here.watch(stream, 1) as slow:
        remote = await there.find(stream.meta.id, "me")
        until = asyncio.get_running_loop().time() + LEASE * 3
        while asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.01)
            most = max(most, stream.tail.blocks.size + stream.intake.blocks.size)
        assert remote.tail.end is None
        tap.send(STOP, DONE)
        taken: list[bytes] = []
        while slow.ended is None:
            taken += slow.take(4000)
            await next_of(slow)
            most = max(most, stream.tail.blocks.size + stream.intake.blocks.size)

    assert len(taken) == 403
    assert most < 2 * (bounds.window + bounds.retained)
    await here.aclose()
    await there.aclose()


async def test_commit_first_is_cancelled_at_once_under_a_slow_reader() -> None:
    """The end does not wait for a reader that takes nothing."""
    store, tap = MemoryStore(), Tap()
    here = hub(store, Limits(Bounds(window=4000, retained=8000)), commit=True)
    stream = await start(here, tap)
    tap.send(ROLE, text("a"), *(text("x" * 1000) for _ in range(40)))
    with here.watch(stream, 1):
        await asyncio.sleep(0.1)
        assert stream.tail.exceeds_window
        end = await here.cancel(stream)
        assert end is not None
        assert stream.tail.end == end
    assert end.reason is EndReason.CANCELLED
    await here.aclose()
