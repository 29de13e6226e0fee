"""One blocked read for many followed streams: how many, how large, and what a failure spoils."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import pytest

from tests.fakes.redis_pool import Pool, refusal
from tokenwire.stores.exceptions import StoreError
from tokenwire.stores.redis.group import COUNT, MOST_BYTES, MOST_READS, MOST_STREAMS, GroupReader
from tokenwire.stores.redis.server import Refused


async def once(send: Callable[..., Awaitable[Any]], command: Sequence[Any]) -> Any:
    """Send a command, and not again."""
    return await send(*command)


@pytest.fixture
def pool() -> Pool:
    """Connections that count."""
    return Pool()


@pytest.fixture
async def group(pool: Pool) -> AsyncIterator[GroupReader]:
    """A reader of many streams; no read gets a response yet."""
    pool.answers.clear()
    found = GroupReader(pool, 0.3, once)
    yield found
    await found.aclose()


def entry(key: str) -> list[Any]:
    """Return the response for one stream: an entry with its name."""
    return [key.encode(), [[b"1-1", [b"batch", key.encode()]]]]


def streams(data: bytes) -> int:
    """Return the number of streams in a read."""
    return data.count(b"\r\n0-0\r\n")


async def reads(pool: Pool, count: int) -> None:
    """Wait until so many reads have been sent."""
    async with asyncio.timeout(5):
        while len(pool.flushes) < count:
            await asyncio.sleep(0.001)


def begin(group: GroupReader, keys: list[str], size: int = 1) -> asyncio.Future[list[Any]]:
    """Read these streams, each for a second."""
    found = (group.read(key, "0-0", 1.0, size) for key in keys)
    return asyncio.gather(*found, return_exceptions=True)


async def test_streams_that_wait_share_one_read(group: GroupReader, pool: Pool) -> None:
    """Those that get nothing go on waiting, in the next read."""
    pool.responses.extend([[entry("a"), entry("c")], [entry("b")]])
    found = begin(group, ["a", "b", "c"])
    await reads(pool, 1)
    pool.answers.set()
    assert await found == [[(b"1-1", {b"batch": name})] for name in (b"a", b"b", b"c")]
    assert [streams(data) for data in pool.flushes] == [3, 1]
    assert pool.most == 1


async def test_read_has_a_number_of_streams_at_most(group: GroupReader, pool: Pool) -> None:
    """One more is read by a second one."""
    begin(group, [f"k{number}" for number in range(MOST_STREAMS)])
    await reads(pool, 1)
    assert [streams(data) for data in pool.flushes] == [MOST_STREAMS]
    begin(group, [f"l{number}" for number in range(MOST_STREAMS + 1)])
    await reads(pool, 3)
    assert [streams(data) for data in pool.flushes[1:]] == [MOST_STREAMS, 1]


async def test_read_has_a_size_at_most(group: GroupReader, pool: Pool) -> None:
    """By what the last entries of its streams let expect."""
    begin(group, ["a", "b", "c"], size=MOST_BYTES // COUNT // 2)
    await reads(pool, 2)
    assert [streams(data) for data in pool.flushes] == [2, 1]


async def test_reads_under_way_are_bounded(group: GroupReader, pool: Pool) -> None:
    """The last one waits for a moment only: then it takes the streams that have come since."""
    for number in range(MOST_READS + 3):
        begin(group, [f"k{number}"])
        await asyncio.sleep(0.02)
    assert len(pool.flushes) == pool.most == MOST_READS
    blocks = [data.split(b"BLOCK\r\n")[1].split(b"\r\n")[1] for data in pool.flushes]
    assert blocks == [b"1000"] * (MOST_READS - 1) + [b"20"]
    pool.responses.append(None)
    pool.answers.set()
    await reads(pool, MOST_READS + 1)
    assert pool.most == MOST_READS


async def test_stream_that_lapsed_is_not_read_twice(group: GroupReader, pool: Pool) -> None:
    """Its reader reads again after the same entry, while the first read still waits."""
    assert await group.read("a", "0-0", 0.02, 1) == []
    again = begin(group, ["a"])
    pool.responses.append([entry("a")])
    pool.answers.set()
    assert await again == [[(b"1-1", {b"batch": b"a"})]]
    assert len(pool.flushes) == 1


async def test_second_reader_of_a_stream_reads_alone(group: GroupReader) -> None:
    """One read returns a stream once."""
    assert group.takes("a")
    begin(group, ["a"])
    await asyncio.sleep(0)
    assert not group.takes("a")
    assert group.takes("b")


@pytest.mark.parametrize(("text", "goes_on"), [("WRONGTYPE", True), ("CROSSSLOT keys", False)])
async def test_refusal_makes_each_read_alone(
    group: GroupReader, pool: Pool, text: str, goes_on: bool
) -> None:
    """One of the streams may be the reason; a server that is a cluster takes no such read."""
    pool.responses.append(refusal(text))
    found = begin(group, ["a", "b"])
    await reads(pool, 1)
    pool.answers.set()
    assert [type(outcome) for outcome in await found] == [Refused, Refused]
    assert group.takes("a") is goes_on
    assert pool.disconnected == 0


async def test_broken_connection_fails_its_streams(group: GroupReader, pool: Pool) -> None:
    """As a read of each would have."""
    pool.responses.append(ConnectionResetError("hunter2"))
    found = begin(group, ["a", "b"])
    await reads(pool, 1)
    pool.answers.set()
    assert [str(outcome) for outcome in await found] == ["Redis failed (ConnectionResetError)."] * 2
    assert pool.disconnected == 1


async def test_closing_fails_what_waits(pool: Pool) -> None:
    """No reader waits for ever."""
    pool.answers.clear()
    group = GroupReader(pool, 1.0, once)
    found = begin(group, ["a", "b"])
    await reads(pool, 1)
    await group.aclose()
    assert all(isinstance(outcome, StoreError) for outcome in await found)
    assert pool.in_use == 0
