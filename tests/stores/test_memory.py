"""What the memory store does beyond the contract: it forgets in time, and copies no block."""

from __future__ import annotations

import weakref

import pytest

from tests.fakes.clock import Clock
from tokenwire.stores.contract import Batch, Keep, NameBinding
from tokenwire.stores.exceptions import Missing
from tokenwire.stores.memory import MemoryStore
from tokenwire.stores.records import End, EndReason, Meta

KEEP = Keep(running=100, ended=10)


class OldMeta(Meta):
    """Can be referenced weakly."""


class OldBinding(NameBinding):
    """Can be referenced weakly."""


def meta(stream_id: str) -> Meta:
    """A stream's first record."""
    return Meta(stream_id, "me", "test", "chat", "m", 1)


async def test_log_without_an_end_is_forgotten_after_the_running_time() -> None:
    """It can be read until ``keep.running`` seconds have passed, and is then gone."""
    clock = Clock()
    store = MemoryStore(KEEP, clock=clock)
    writer = await store.create(meta("st_a"), "token")
    clock.now += 99
    assert await store.open("st_a") is not None
    clock.now += 1
    assert await store.open("st_a") is None
    with pytest.raises(Missing):
        await writer.append(Batch(1, 1, [b"x"]))


@pytest.mark.parametrize("by", ["its producer", "another"])
async def test_log_is_forgotten_some_time_after_its_end(by: str) -> None:
    """``keep.ended`` seconds after the end, also if another process has written it."""
    clock, end = Clock(), End(EndReason.DONE)
    store = MemoryStore(KEEP, clock=clock)
    writer = await store.create(meta("st_a"), "token")
    if by == "another":
        await store.close("st_a", end)
    else:
        await writer.append(Batch(1, 1, [b"x"], end))
    clock.now += 9
    await store.close("st_a", end)  # which changes nothing: it is over
    assert await store.open("st_a") is not None
    clock.now += 1
    assert await store.open("st_a") is None


async def test_forgotten_logs_and_names_take_no_memory() -> None:
    """The next log that is made, or name that is given, removes what has expired."""
    clock = Clock()
    store = MemoryStore(KEEP, clock=clock)
    held: list[weakref.ref[object]] = []
    for number in range(50):
        about, binding = OldMeta(f"st_{number}", "me", "test", "chat", "m", 1), OldBinding("st_x")
        held += weakref.ref(about), weakref.ref(binding)
        await store.create(about, "token")
        await store.name(f"name {number}", binding)
    del about, binding
    assert all(one() is not None for one in held)
    clock.now += 110
    await store.create(meta("st_new"), "token")
    await store.name("new", NameBinding("st_new"))
    assert all(one() is None for one in held)
    assert await store.lookup("name 1") is None


async def test_blocks_are_shared_not_copied() -> None:
    """A reader gets the very objects that the producer has written."""
    store = MemoryStore(KEEP)
    block = b"data: x\n\n"
    writer = await store.create(meta("st_a"), "token")
    await writer.append(Batch(1, 1, [block]))
    reader = await store.open("st_a")
    assert reader is not None
    (batch,) = await reader.read(0)
    assert batch.blocks[0] is block
