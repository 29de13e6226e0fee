"""Commands of many streams in one flush: how many, how large, and what a failure spoils."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.exceptions import ResponseError

from tests.fakes.redis_pool import Pool, refusal
from tokenwire.stores.redis.flusher import MOST_BYTES, MOST_COMMANDS, MOST_FLUSHES, Flusher


@pytest.fixture
def pool() -> Pool:
    """Connections that count."""
    return Pool()


@pytest.fixture
async def flusher(pool: Pool) -> AsyncIterator[Flusher]:
    """A flusher whose flushes have a second, and whose commands may wait for another."""
    found = Flusher(pool, 1.0, 1.0)
    yield found
    await found.aclose()


def commands(data: bytes) -> int:
    """Return the number of commands in a flush."""
    return data.count(b"SET")


async def outcomes(flusher: Flusher, values: list[str]) -> list[Any]:
    """Send one command for each value, at once."""
    sent = (flusher.send("SET", "k", value) for value in values)
    return await asyncio.gather(*sent, return_exceptions=True)


async def test_commands_of_one_moment_are_one_flush(flusher: Flusher, pool: Pool) -> None:
    """Each gets its own response, in the order of the commands."""
    pool.responses.extend([b"1", b"2", b"3"])
    assert await outcomes(flusher, ["a", "b", "c"]) == [b"1", b"2", b"3"]
    assert [commands(data) for data in pool.flushes] == [3]
    assert pool.flushes[0].index(b"a\r\n") < pool.flushes[0].index(b"c\r\n")


async def test_blocks_wait_for_those_of_other_streams(flusher: Flusher, pool: Pool) -> None:
    """A command that a request waits for takes along what waits, and does not wait itself."""
    await outcomes(flusher, ["v"])
    waits = [asyncio.create_task(flusher.send("SET", "k", "v", at_once=False)) for _ in range(2)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(pool.flushes) == 1
    await flusher.send("SET", "k", "v")
    assert [await each for each in waits] == [b"OK", b"OK"]
    assert [commands(data) for data in pool.flushes] == [1, 3]


async def test_flush_has_a_number_of_commands_at_most(flusher: Flusher, pool: Pool) -> None:
    """One more begins a second flush."""
    await outcomes(flusher, ["v"] * MOST_COMMANDS)
    assert [commands(data) for data in pool.flushes] == [MOST_COMMANDS]
    pool.flushes.clear()
    await outcomes(flusher, ["v"] * (MOST_COMMANDS + 1))
    assert [commands(data) for data in pool.flushes] == [MOST_COMMANDS, 1]


async def test_flush_has_a_size_at_most(flusher: Flusher, pool: Pool) -> None:
    """A flush that has reached it takes no further command; a large command is sent alone."""
    half = "v" * (MOST_BYTES // 2)
    await outcomes(flusher, [half, half, half])
    assert [commands(data) for data in pool.flushes] == [2, 1]
    pool.flushes.clear()
    await outcomes(flusher, [half * 4, "v", "v"])
    assert [commands(data) for data in pool.flushes] == [1, 2]


async def test_flushes_under_way_are_bounded(flusher: Flusher, pool: Pool) -> None:
    """What comes while all of them wait for the server goes into as few as possible."""
    pool.answers.clear()
    sent = asyncio.gather(*(outcomes(flusher, ["v"] * MOST_COMMANDS) for _ in range(6)))
    while len(pool.flushes) < MOST_FLUSHES:
        await asyncio.sleep(0)
    await asyncio.sleep(0.02)
    assert len(pool.flushes) == pool.most == MOST_FLUSHES
    pool.answers.set()
    assert all(outcome == b"OK" for each in await sent for outcome in each)
    assert [commands(data) for data in pool.flushes] == [MOST_COMMANDS] * 6
    assert pool.most == MOST_FLUSHES


async def test_refusal_concerns_one_command(flusher: Flusher, pool: Pool) -> None:
    """The others of its flush get their responses, and the connection stays."""
    pool.responses.extend([b"1", refusal(), b"3"])
    first, second, third = await outcomes(flusher, ["a", "b", "c"])
    assert (first, third) == (b"1", b"3")
    assert isinstance(second, ResponseError)
    assert pool.disconnected == 0


async def test_broken_connection_fails_what_has_no_response(flusher: Flusher, pool: Pool) -> None:
    """What had one keeps it; the connection is closed, not used for others."""
    pool.responses.extend([b"1", ConnectionResetError()])
    first, second, third = await outcomes(flusher, ["a", "b", "c"])
    assert first == b"1"
    assert isinstance(second, ConnectionResetError)
    assert isinstance(third, ConnectionResetError)
    assert pool.disconnected == 1


async def test_server_that_does_not_answer_fails_every_command(pool: Pool) -> None:
    """Those that were sent by the flush's time, and those that wait by their own."""
    flusher = Flusher(pool, 0.2, 0.1)
    pool.answers.clear()
    sent = outcomes(flusher, ["v"] * (MOST_COMMANDS * MOST_FLUSHES + 1))
    found = await asyncio.wait_for(sent, 10)
    assert all(isinstance(outcome, TimeoutError) for outcome in found)
    assert len(pool.flushes) == MOST_FLUSHES
    assert pool.in_use == 0
    await flusher.aclose()


async def test_cancelled_stream_does_not_disturb_the_others(flusher: Flusher, pool: Pool) -> None:
    """Its command is not sent, or its response is dropped."""
    cancelled = asyncio.create_task(flusher.send("SET", "k", "x"))
    await asyncio.sleep(0)
    cancelled.cancel()
    assert await outcomes(flusher, ["a"]) == [b"OK"]

    pool.answers.clear()
    late = asyncio.create_task(flusher.send("SET", "k", "x"))
    other = asyncio.create_task(flusher.send("SET", "k", "y"))
    while len(pool.flushes) < 2:
        await asyncio.sleep(0)
    late.cancel()
    await asyncio.sleep(0)
    pool.answers.set()
    assert await other == b"OK"
    assert [commands(data) for data in pool.flushes] == [1, 2]


async def test_closing_fails_what_is_left(pool: Pool) -> None:
    """No command waits for ever."""
    flusher = Flusher(pool, 1.0, 1.0)
    pool.answers.clear()
    sent = asyncio.create_task(outcomes(flusher, ["v"] * (MOST_COMMANDS * MOST_FLUSHES + 1)))
    while len(pool.flushes) < MOST_FLUSHES:
        await asyncio.sleep(0)
    await flusher.aclose()
    assert all(isinstance(outcome, ConnectionError) for outcome in await sent)
