"""The hub: who finds which stream, and what happens to streams without viewers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from tests.fakes.framing import framed
from tests.fakes.upstream import DONE, ROLE, STOP, text
from tokenwire.dialects.chat import DIALECT
from tokenwire.errors import ClientError, ProxyError
from tokenwire.stores.contract import NameBinding
from tokenwire.stores.exceptions import StoreError
from tokenwire.stores.memory import MemoryStore
from tokenwire.stores.records import Cursor, EndReason, Meta, RecordId
from tokenwire.streams.ending import GOING_AWAY
from tokenwire.streams.hub import Hub
from tokenwire.streams.limits import Durability, Limits
from tokenwire.streams.naming import MAX_PENDING
from tokenwire.streams.policy import CANCEL, CONTINUE, OnDisconnect
from tokenwire.streams.pump import Source
from tokenwire.streams.stream import Stream, first_after, new_id


class Gate:
    """An upstream that sends one token, and the rest on command."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.closed = asyncio.Event()

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[AsyncIterator[bytes]]:
        """As a provider opens."""
        try:
            yield self._body()
        finally:
            self.closed.set()

    async def _body(self) -> AsyncIterator[bytes]:
        yield ROLE + text("a")
        await self.go.wait()
        yield STOP + DONE


async def start(hub: Hub, gate: Gate, policy: OnDisconnect, owner: str = "me") -> Stream:
    """A stream through the gate."""
    meta = Meta(new_id(), owner, "test", "chat", "m", 1)
    return await hub.start(meta, Source(framed(gate), DIALECT.decoder()), policy)


async def finished(stream: Stream) -> None:
    """Wait for the pump and what follows it."""
    assert stream.task is not None
    await asyncio.wait([stream.task])
    await asyncio.sleep(0)


async def test_last_viewer_decides() -> None:
    """With ``cancel`` the stream ends when the last of its viewers leaves, and not before."""
    hub, gate = Hub(Limits()), Gate()
    stream = await start(hub, gate, CANCEL)
    with hub.watch(stream, 1):
        with hub.watch(stream, 1):
            assert hub.open_viewers == 2
        await asyncio.sleep(0.01)
        assert not gate.closed.is_set()
    await asyncio.wait_for(gate.closed.wait(), 1)

    assert stream.tail.end is not None
    assert stream.tail.end.reason is EndReason.CANCELLED
    await finished(stream)
    assert (hub.open_streams, hub.open_viewers) == (0, 0)


async def test_first_viewer_may_take_its_time() -> None:
    """Between starting a stream and watching it the event loop may turn; that cancels nothing."""
    hub, gate = Hub(Limits()), Gate()
    stream = await start(hub, gate, CANCEL)
    await asyncio.sleep(0.05)
    with hub.watch(stream, 1) as reader:
        assert reader.take()
    await asyncio.wait_for(gate.closed.wait(), 1)


async def test_grace_is_stopped_by_return() -> None:
    """A viewer that comes back in time keeps the stream; the clock starts anew when it leaves."""
    hub, gate = Hub(Limits()), Gate()
    stream = await start(hub, gate, OnDisconnect(0.05))
    with hub.watch(stream, 1):
        pass
    with hub.watch(stream, 1):
        await asyncio.sleep(0.1)
        assert stream.tail.end is None
    await asyncio.wait_for(gate.closed.wait(), 1)


async def test_refused_viewer_changes_nothing() -> None:
    """A viewer that cannot attach does not stop the clock."""
    hub, gate = Hub(Limits()), Gate()
    stream = await start(hub, gate, OnDisconnect(0.05))
    with pytest.raises(ClientError), hub.watch(stream, -1):
        pass
    await asyncio.wait_for(gate.closed.wait(), 1)


async def test_continue_runs_alone() -> None:
    """With ``continue`` no viewer is needed."""
    hub, gate = Hub(Limits()), Gate()
    stream = await start(hub, gate, CONTINUE)
    with hub.watch(stream, 1):
        pass
    gate.go.set()
    await finished(stream)

    assert stream.tail.end is not None
    assert stream.tail.end.reason is EndReason.DONE


async def test_owner_finds_only_their_own() -> None:
    """Another caller's stream and an unknown one look the same."""
    hub, gate = Hub(Limits()), Gate()
    stream = await start(hub, gate, CONTINUE, owner="me")

    assert await hub.find(stream.meta.id, "me") is stream
    assert await hub.find(stream.meta.id, None) is stream
    for stream_id, owner in ((stream.meta.id, "you"), ("st_none", "me")):
        with pytest.raises(ClientError) as caught:
            await hub.find(stream_id, owner)
        assert (caught.value.status, caught.value.code) == (404, "stream_not_found")
    await hub.aclose()


async def test_retention_waits_for_readers() -> None:
    """A finished stream is kept while it has a reader, then dropped."""
    hub, gate = Hub(Limits(retention=0.02)), Gate()
    stream = await start(hub, gate, CONTINUE)
    gate.go.set()
    await finished(stream)
    with hub.watch(stream, 1) as reader:
        await asyncio.sleep(0.1)
        assert reader.take()
    await asyncio.sleep(0.1)

    with pytest.raises(ClientError):
        await hub.find(stream.meta.id, "me")
    assert stream.tail.blocks.size == 0


async def test_close_ends_all_streams() -> None:
    """A server that goes away tells every viewer, closes every upstream, and starts no more."""
    hub, gates = Hub(Limits()), [Gate() for _ in range(3)]
    streams = [await start(hub, gate, CONTINUE) for gate in gates]
    async with AsyncExitStack() as stack:
        readers = [stack.enter_context(hub.watch(stream, 1)) for stream in streams]
        await asyncio.sleep(0.01)
        await hub.aclose()
        for reader in readers:
            reader.take()
            assert reader.ended is not None
            assert reader.ended[1].error == GOING_AWAY
    assert all(gate.closed.is_set() for gate in gates)
    assert hub.closing
    with pytest.raises(ProxyError):
        await start(hub, Gate(), CONTINUE)


async def test_end_is_reported_once() -> None:
    """``on_end`` is called once for each stream, with its end."""
    ended: list[Stream] = []
    hub, gate = Hub(Limits(), on_end=ended.append), Gate()
    stream = await start(hub, gate, CONTINUE)
    await hub.cancel(stream)
    await hub.cancel(stream)
    await finished(stream)

    assert ended == [stream]


async def test_cursor_must_be_of_stream() -> None:
    """A cursor of another stream, another epoch or the future is refused."""
    hub, gate = Hub(Limits()), Gate()
    stream = await start(hub, gate, CONTINUE)
    await asyncio.sleep(0.01)

    assert first_after(stream, None) == 0
    assert first_after(stream, Cursor(RecordId(1, 1))) == 2
    for cursor in (
        Cursor(RecordId(1, 1), "st_other"),
        Cursor(RecordId(2, 0)),
        Cursor(RecordId(1, 3)),
    ):
        with pytest.raises(ClientError):
            first_after(stream, cursor)
    await hub.aclose()


def test_policies_are_read() -> None:
    """Three words, one with a number."""
    assert OnDisconnect.parse("cancel") == CANCEL
    assert OnDisconnect.parse("continue") == CONTINUE
    assert OnDisconnect.parse("grace=1.5") == OnDisconnect.parse("grace(1.5)") == OnDisconnect(1.5)
    for text_ in ("", "grace", "grace=-1", "grace=x", "Cancel"):
        with pytest.raises(ClientError):
            OnDisconnect.parse(text_)


async def test_names_of_streams_that_never_start_are_bounded() -> None:
    """A name that was claimed for a stream that is then refused is not held for ever."""
    hub, gate = Hub(Limits()), Gate()
    stream = await start(hub, gate, CONTINUE)
    assert await hub.names.claim("kept", "me", NameBinding(stream.meta.id)) is None
    await hub.names.bind("chat", stream)
    for number in range(MAX_PENDING + 50):
        assert await hub.names.claim(f"name {number}", "me", NameBinding(f"st_{number}")) is None
    assert await hub.names.lookup("name 49", "me") is None
    assert await hub.names.lookup("name 50", "me") == NameBinding("st_50")
    assert await hub.names.lookup(f"name {MAX_PENDING + 49}", "me") == NameBinding(
        f"st_{MAX_PENDING + 49}"
    )
    gate.go.set()
    await finished(stream)
    await hub.aclose()


async def test_names_of_a_stream_that_has_started_are_kept_with_it() -> None:
    """However many others are claimed meanwhile."""
    hub, gate = Hub(Limits()), Gate()
    about = Meta(new_id(), "me", "test", "chat", "m", 1)
    assert await hub.names.claim("key", "me", NameBinding(about.id)) is None
    stream = await hub.start(about, Source(framed(gate), DIALECT.decoder()), CONTINUE)
    for number in range(MAX_PENDING + 1):
        await hub.names.claim(f"name {number}", "me", NameBinding(f"st_{number}"))
    assert await hub.names.lookup("key", "me") == NameBinding(about.id)
    gate.go.set()
    await finished(stream)
    await hub.aclose()


async def test_memory_that_is_not_shared_stores_no_stream() -> None:
    """With the default store a stream has no copy and no lease, and no other process can run it."""
    hub, gate = Hub(Limits()), Gate()
    stream = await start(hub, gate, CONTINUE)
    assert (hub.is_shared, hub.store_status, stream.copy.complete) == (False, None, None)
    assert not await hub.leases.grant(stream, "viewer_1", 10)
    await hub.leases.renew(stream.meta.id, "me", "viewer_1", 10)
    await hub.leases.end(stream.meta.id, "me", "viewer_1")
    with pytest.raises(StoreError, match="TOKENWIRE_STORE"):
        await hub.reserve(stream.meta)
    with pytest.raises(StoreError, match="TOKENWIRE_STORE"):
        await hub.adopt(stream.meta.id)
    await hub.aclose()


async def test_memory_that_is_shared_serves_two_hubs_of_one_process() -> None:
    """Then it is a store as any other: the second hub follows what the first one runs."""
    store, gate = MemoryStore(shared=True), Gate()
    here, there = (Hub(Limits(), durability=Durability(store)) for _ in range(2))
    stream = await start(here, gate, CONTINUE)
    remote = await there.find(stream.meta.id, "me")
    assert (there.store_status, stream.copy.complete, remote.is_ours) == ("ok", True, False)
    gate.go.set()
    await finished(stream)
    with there.watch(remote, 1) as reader:
        await asyncio.wait_for(reader.over(), 5)
        assert reader.take() == [ROLE, text("a"), STOP]
    for hub in (here, there):
        await hub.aclose()
