"""The retention: finished streams make room for running ones, and never harm them."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.framing import framed
from tests.fakes.upstream import DONE, text
from tests.fakes.views import UncountedViewers
from tests.streams.test_hub import Gate, finished, start
from tokenwire.dialects.chat import DIALECT
from tokenwire.stores.contract import NameBinding
from tokenwire.stores.memory import StreamNames
from tokenwire.stores.records import End, EndReason, Meta
from tokenwire.streams.blocks import Bounds
from tokenwire.streams.hub import Hub
from tokenwire.streams.limits import Limits
from tokenwire.streams.policy import CONTINUE
from tokenwire.streams.pump import Source
from tokenwire.streams.retention import OVERHEAD, Retention
from tokenwire.streams.stream import Stream, new_id
from tokenwire.streams.tail import Tail


def ignore(_: Stream) -> None:
    """Nothing else is to be forgotten."""


def over(retention: Retention, blocks: list[bytes]) -> Stream:
    """A stream that has ended with these blocks, on the retention."""
    tail = Tail(Bounds(), charge=retention.charge)
    tail.append(blocks)
    tail.finish(End(EndReason.DONE))
    stream = Stream(Meta(new_id(), "me", "test", "chat", "m", 1), tail, tail, UncountedViewers())
    retention.add(stream)
    return stream


async def test_eviction_of_thousands_of_empty_streams() -> None:
    """Streams without a block are forgotten one after the other, not one inside the other."""
    retention = Retention(10_000 * OVERHEAD, 600, ignore)
    for _ in range(5_000):
        over(retention, [])
    running = Tail(Bounds(retained=1 << 30), charge=retention.charge)

    running.append([b"x" * 9_999 * OVERHEAD])

    assert running.end is None
    assert list(retention) == []


async def test_healthy_stream_survives_600_failures_and_a_full_budget() -> None:
    """A running stream goes on where 600 failed ones before it left nothing to give back."""
    hub, gate = Hub(Limits(Bounds(4000, 8000), bytes=20_000)), Gate()
    for _ in range(600):
        await hub.cancel(failed := await start(hub, Gate(), CONTINUE))
        await finished(failed)
    stream = await start(hub, gate, CONTINUE)
    body = text("x" * 500)
    stream.tail.append([body] * 40)
    gate.go.set()
    await finished(stream)

    assert stream.tail.end == End(EndReason.DONE, block=DONE)
    await hub.aclose()


async def test_oldest_finished_stream_goes_first() -> None:
    """Room is made from the oldest on, and only as much as is needed."""
    forgotten: list[Stream] = []
    retention = Retention(3 * OVERHEAD + 3000, 600, forgotten.append)
    old, *young = [over(retention, [b"x" * 900]) for _ in range(3)]

    assert retention.charge(OVERHEAD)
    assert forgotten == [old]
    assert list(retention) == young
    retention.close()


async def test_read_streams_are_not_evicted() -> None:
    """A stream with a reader stays; then there is no room for another."""
    retention = Retention(2 * OVERHEAD, 600, ignore)
    stream = over(retention, [b"x"])
    with stream.tail.attach(1):
        assert not retention.charge(2 * OVERHEAD)
        assert list(retention) == [stream]
    assert retention.charge(0)
    assert list(retention) == []
    assert retention.held == 2 * OVERHEAD


async def test_error_in_forgetting_harms_no_other_stream(caplog: pytest.LogCaptureFixture) -> None:
    """The stream that needs room gets it; only the kind of the error is logged."""

    def fail(stream: Stream) -> None:
        raise KeyError(stream.meta.id)

    retention = Retention(2 * OVERHEAD, 600, fail)
    gone = over(retention, [b"x"])
    running = Tail(Bounds(), charge=retention.charge)
    running.append([b"x" * OVERHEAD])

    assert list(retention) == []
    assert "KeyError" in caplog.text
    assert gone.meta.id not in caplog.text


async def test_empty_streams_are_bounded_too() -> None:
    """Streams that failed without a block cannot fill the memory: each is charged its objects."""
    retention = Retention(10 * OVERHEAD, 600, ignore)
    for _ in range(100):
        over(retention, [])
    assert len(list(retention)) == 10
    retention.close()


async def test_repeated_name_is_forgotten_once() -> None:
    """A stream that was named twice by the same name is forgotten without an error."""
    names = StreamNames()
    await names.name("chat", NameBinding("st_1"))
    await names.name("chat", NameBinding("st_1"))
    names.forget("st_1")
    assert await names.lookup("chat") is None


async def test_name_that_moved_on_is_not_forgotten_with_its_first_stream() -> None:
    """A name belongs to its last stream alone."""
    names = StreamNames()
    await names.name("chat", NameBinding("st_1"))
    await names.name("chat", NameBinding("st_2"))
    names.forget("st_1")
    assert await names.lookup("chat") == NameBinding("st_2")
    names.forget("st_2")
    assert await names.lookup("chat") is None


async def test_repeated_name_ends_no_other_stream() -> None:
    """Under memory pressure a stream named twice goes, and another caller's stream stays."""
    hub = Hub(Limits(bytes=8000))
    first, second = Gate(), Gate()
    named = await start(hub, first, CONTINUE)
    await hub.names.bind("chat", named)
    await hub.names.bind("chat", named)
    first.go.set()
    await finished(named)
    other = await hub.start(
        Meta(new_id(), "you", "test", "chat", "m", 1),
        Source(framed(second), DIALECT.decoder()),
        CONTINUE,
    )
    await asyncio.sleep(0.01)
    other.tail.append([text("x" * 6500)])
    second.go.set()
    await finished(other)

    assert other.tail.end == End(EndReason.DONE, block=DONE)
    assert await hub.names.lookup("chat", "me") is None
    await hub.aclose()
