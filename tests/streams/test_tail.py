"""The tail: order, cursors, bounds."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenwire.errors import ClientError, ProxyError, TokenwireError
from tokenwire.events import Error
from tokenwire.stores.records import End, EndReason, RecordId
from tokenwire.streams.blocks import BLOCK_OVERHEAD, Bounds
from tokenwire.streams.tail import Tail

DONE = End(EndReason.DONE)
WHY = Error("store_unavailable", "The store is away.", retryable=True, status=503)


def blocks(first: int, count: int, size: int = 4) -> list[bytes]:
    """Numbered blocks of a size."""
    return [str(number).zfill(size).encode() for number in range(first, first + count)]


def test_reader_sees_all_in_order() -> None:
    """Past and present come through the same cursor."""
    tail = Tail(Bounds())
    tail.append(blocks(1, 3))
    with tail.attach(1) as reader:
        past = reader.take()
        tail.append(blocks(4, 2))
        present = reader.take()

    assert past + present == blocks(1, 5)


def test_take_is_bounded_but_never_empty() -> None:
    """A read stops after its limit, and gives one block even if that is larger."""
    tail = Tail(Bounds())
    tail.append(blocks(1, 10, size=100))
    with tail.attach(1) as reader:
        assert len(reader.take(limit=1)) == 1
        assert len(reader.take(limit=3 * (100 + BLOCK_OVERHEAD))) == 3
        assert len(reader.take()) == 6


def test_end_comes_after_last_block() -> None:
    """A reader learns of the end when it has every block before it, and the first end wins."""
    tail = Tail(Bounds())
    tail.append(blocks(1, 2))
    assert tail.finish(DONE)
    assert not tail.finish(End(EndReason.LOST))
    tail.append(blocks(3, 1))
    with tail.attach(1) as reader:
        assert reader.ended is None
        assert reader.take() == blocks(1, 2)
        assert reader.ended == (RecordId(1, 3), DONE)


async def test_wait_wakes_on_append_and_end() -> None:
    """Every waiting reader wakes; one that waits for nothing times out."""
    tail = Tail(Bounds())
    with tail.attach(1) as one, tail.attach(1) as two:
        assert not await one.wait(0.001)
        waiting = [asyncio.create_task(reader.wait(60)) for reader in (one, two)]
        await asyncio.sleep(0)
        tail.append(blocks(1, 1))
        assert await asyncio.gather(*waiting) == [True, True]
        one.take()
        waiting = [asyncio.create_task(one.wait(60))]
        await asyncio.sleep(0)
        tail.finish(DONE)
        assert await asyncio.gather(*waiting) == [True]


async def test_stop_wakes_its_reader() -> None:
    """A reader whose client has gone does not wait on."""
    tail = Tail(Bounds())
    with tail.attach(1) as reader:
        waiting = asyncio.create_task(reader.wait(60))
        await asyncio.sleep(0)
        reader.stop()
        reader.stop()
        assert await waiting
        assert await reader.wait(60)


async def test_writer_waits_for_slowest_reader() -> None:
    """Past the window the writer waits; a slow reader that leaves sets it free."""
    tail = Tail(Bounds(window=1000))
    with tail.attach(1) as slow:
        with tail.attach(1) as slower:
            tail.append(blocks(1, 20, size=100))
            slow.take()
            assert tail.exceeds_window
            room = asyncio.create_task(tail.room())
            await asyncio.sleep(0)
            assert not room.done()
            slower.take(limit=1000)
            await asyncio.sleep(0)
            assert not room.done()
        await asyncio.wait_for(room, 1)
    assert not tail.exceeds_window


async def test_end_frees_a_waiting_writer() -> None:
    """A cancelled stream does not leave its pump waiting for a reader."""
    tail = Tail(Bounds(window=10))
    with tail.attach(1):
        tail.append(blocks(1, 5, size=100))
        room = asyncio.create_task(tail.room())
        await asyncio.sleep(0)
        tail.finish(DONE)
        await asyncio.wait_for(room, 1)


def test_past_is_trimmed_and_missed() -> None:
    """Beyond what is retained the oldest are dropped, and a cursor there gets an error."""
    tail = Tail(Bounds(window=500, retained=2000))
    for number in range(1, 101):
        tail.append(blocks(number, 1, size=100))

    assert tail.blocks.size <= 2000
    assert tail.first > 80
    with pytest.raises(ClientError) as caught, tail.attach(tail.first - 1):
        pass
    assert (caught.value.status, caught.value.code) == (410, "trimmed")
    with tail.attach(tail.first) as reader:
        assert reader.take()[-1] == blocks(100, 1, size=100)[0]


def test_trim_spares_attached_readers() -> None:
    """What a reader has yet to take is not dropped."""
    tail = Tail(Bounds(window=500, retained=2000))
    with tail.attach(1) as reader:
        for number in range(1, 101):
            tail.append(blocks(number, 1, size=100))
        taken: list[bytes] = []
        while got := reader.take():
            taken += got

    assert taken == blocks(1, 100, size=100)


def test_account_balances() -> None:
    """Every byte charged is given back."""
    held = 0

    def charge(size: int) -> bool:
        nonlocal held
        held += size
        return True

    tail = Tail(Bounds(retained=2000), charge=charge)
    for number in range(1, 101):
        tail.append(blocks(number, 1, size=100))
        assert held == tail.blocks.size
    tail.drop()
    assert held == tail.blocks.size == 0


def test_full_process_trims_then_refuses() -> None:
    """Without room the past goes early; when that is not enough, the stream must end."""
    limit, held = 4000, 0

    def charge(size: int) -> bool:
        nonlocal held
        held += size
        return held <= limit

    tail = Tail(Bounds(window=1000, retained=100_000), charge=charge)
    for number in range(1, 101):
        tail.append(blocks(number, 1, size=100))
    assert held <= limit
    with tail.attach(tail.first), pytest.raises(ProxyError, match="out of memory"):
        tail.append(blocks(101, 100, size=100))


def test_reader_cannot_be_ahead_of_a_log_that_grows() -> None:
    """A reader that waits for a record far ahead would consume nothing, and delay all others."""
    tail = Tail(Bounds())
    tail.append(blocks(1, 2))
    with tail.attach(3):
        pass
    with pytest.raises(ClientError) as caught, tail.attach(4):
        pass
    assert (caught.value.status, caught.value.code) == (400, "invalid_cursor")


async def test_reach_waits_for_a_record() -> None:
    """It is true once the record is there, or nothing more can come."""
    tail = Tail(Bounds())
    waiting = asyncio.create_task(tail.reach(2, 60))
    await asyncio.sleep(0)
    tail.append(blocks(1, 1))
    await asyncio.sleep(0)
    assert not waiting.done()
    tail.append(blocks(2, 1))
    assert await waiting
    assert not await tail.reach(3, 0.001)
    tail.finish(DONE)
    assert await tail.reach(3, 60)


async def test_failed_log_gives_what_it_holds_and_then_the_reason() -> None:
    """The reason is no end: it is not in the log, and has no id."""
    tail = Tail(Bounds())
    tail.append(blocks(1, 2))
    with tail.attach(1) as reader:
        tail.break_off(WHY)
        tail.break_off(Error("other", "…"))
        tail.append(blocks(3, 1))
        before, taken, after = reader.interruption, reader.take(), reader.interruption
        assert (before, taken, after) == (None, blocks(1, 2), WHY)
        assert (reader.ended, tail.last) == (None, RecordId(1, 2))
        assert await reader.wait(60)
        await reader.over()


async def test_failed_log_frees_a_waiting_writer() -> None:
    """What fills the log does not wait for readers of a log that is over."""
    tail = Tail(Bounds(window=10))
    with tail.attach(1):
        tail.append(blocks(1, 5, size=100))
        room = asyncio.create_task(tail.room())
        await asyncio.sleep(0)
        tail.break_off(WHY)
        await asyncio.wait_for(room, 1)


def test_retired_log_is_dropped_with_its_last_reader() -> None:
    """Its bytes are given back once, when no viewer needs them any more."""
    held = 0

    def charge(size: int) -> bool:
        nonlocal held
        held += size
        return True

    tail = Tail(Bounds(), charge=charge)
    tail.append(blocks(1, 5))
    with tail.attach(1) as reader:
        with tail.attach(1):
            tail.retire()
        assert held == tail.blocks.size > 0
        assert reader.take() == blocks(1, 5)
    assert held == tail.blocks.size == 0


def test_log_that_failed_and_was_dropped_says_why() -> None:
    """A viewer that found the stream a moment before gets the failure, not ``trimmed``."""
    tail = Tail(Bounds())
    tail.append(blocks(1, 5))
    tail.break_off(WHY)
    tail.retire()
    with pytest.raises(TokenwireError) as caught, tail.attach(1):
        pass
    assert (caught.value.status, caught.value.code) == (503, "store_unavailable")


async def test_reader_that_takes_nothing_is_stopped_where_it_can_come_back() -> None:
    """Slow readers are waited for; one that stands still holds up the others for a time only."""
    tail = Tail(Bounds(window=1000))
    with tail.attach(1) as stalled, tail.attach(1) as slow, tail.attach(1) as quick:
        tail.append(blocks(1, 20, size=100))
        quick.take()
        waiting = asyncio.create_task(tail.make_room(0.05, WHY))
        for _ in range(6):
            await asyncio.sleep(0.02)
            slow.take(1)
        while slow.position < 21:
            slow.take(1)
        await asyncio.wait_for(waiting, 1)

        assert (stalled.stopped, stalled.interruption) == (True, WHY)
        assert (slow.stopped, quick.stopped) == (False, False)


def test_trim_forgets_stopped_readers() -> None:
    """What a stopped reader has not taken is not kept for it."""
    tail = Tail(Bounds(window=500, retained=2000))
    with tail.attach(1) as reader:
        reader.stop(WHY)
        tail.append(blocks(1, 40, size=100))
        assert tail.blocks.size <= 2000
        assert tail.first > 1


@given(
    st.lists(st.integers(0, 40) | st.integers(0, 3000), max_size=60),
    st.lists(st.integers(1, 5000), min_size=1, max_size=8),
)
def test_a_reader_takes_the_fewest_blocks_that_have_the_limit(
    sizes: list[int], limits: list[int]
) -> None:
    """Whatever their sizes, in order; and it knows the bytes of what it has."""
    tail = Tail(Bounds())
    tail.append([b"x" * size for size in sizes])
    left = [size + BLOCK_OVERHEAD for size in sizes]
    with tail.attach(1) as reader:
        for limit in limits:
            expected: list[int] = []
            while left and sum(expected) < limit:
                expected.append(left.pop(0))
            assert [len(block) + BLOCK_OVERHEAD for block in reader.take(limit)] == expected
            assert tail.blocks.written - reader.consumed == sum(left)
