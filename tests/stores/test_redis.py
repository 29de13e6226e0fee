"""What holds for Redis alone: connections, keys, what is kept there and for how long."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis.asyncio

from tests.stores.servers import Server
from tokenwire.stores.contract import Batch, Keep, NameBinding, new_token
from tokenwire.stores.exceptions import Missing, StoreError
from tokenwire.stores.records import End, EndReason, Meta, RecordId
from tokenwire.stores.redis.flusher import MOST_COMMANDS, MOST_FLUSHES
from tokenwire.stores.redis.group import MOST_READS
from tokenwire.stores.redis.server import keys
from tokenwire.stores.redis.store import RedisStore
from tokenwire.streams.hub import Hub
from tokenwire.streams.limits import Durability, Limits
from tokenwire.streams.stream import new_id

DONE = End(EndReason.DONE)


def meta() -> Meta:
    """A stream's first record."""
    return Meta(new_id(), "me", "test", "chat", "m", 1)


async def blocked(client: redis.asyncio.Redis) -> list[str]:
    """The commands that connections wait for, once there is one and no other has followed it."""
    async with asyncio.timeout(10):
        while not await waited_for(client):
            pass
    await asyncio.sleep(0.3)
    return await waited_for(client)


async def waited_for(client: redis.asyncio.Redis) -> list[str]:
    """The commands that connections wait for now."""
    listed: Any = await client.client_list()
    return [one["cmd"] for one in listed if "b" in one["flags"]]


async def test_one_blocking_reader_for_all_viewers(
    server: Server, client: redis.asyncio.Redis
) -> None:
    """Twenty viewers of a stream, in one process, wait on one connection."""
    store = RedisStore(server.url)
    about = meta()
    await store.create(about, new_token())
    hub = Hub(Limits(), durability=Durability(store))
    stream = await hub.find(about.id, "me")

    async def view() -> None:
        with hub.watch(stream, 1) as reader:
            await reader.wait(30)

    viewers = [asyncio.create_task(view()) for _ in range(20)]
    assert await blocked(client) == ["xread"]
    for viewer in viewers:
        viewer.cancel()
    await asyncio.gather(*viewers, return_exceptions=True)
    await hub.aclose()
    await store.aclose()


async def test_streams_write_together(server: Server, client: redis.asyncio.Redis) -> None:
    """200 streams append in a few round trips on a few connections: a command for each of them."""
    store = RedisStore(server.url)
    writers = await asyncio.gather(*(store.create(meta(), new_token()) for _ in range(200)))
    await asyncio.gather(*(writer.append(Batch(1, 1, [b"a"])) for writer in writers))
    await client.config_resetstat()
    for number in range(2, 5):
        await asyncio.gather(*(writer.append(Batch(1, number, [b"a"])) for writer in writers))
    found: Any = await client.info("all")
    assert found["cmdstat_evalsha"]["calls"] == 600
    assert found["total_connections_received"] == 0
    assert found["connected_clients"] <= 1 + MOST_FLUSHES
    assert found["total_reads_processed"] <= 3 * 2 * (200 // MOST_COMMANDS + 1)
    await store.aclose()


async def test_streams_are_followed_together(server: Server, client: redis.asyncio.Redis) -> None:
    """200 followers wait on a few connections, and each gets its own stream's batch."""
    store = RedisStore(server.url)
    abouts = [meta() for _ in range(200)]
    writers = await asyncio.gather(*(store.create(about, new_token()) for about in abouts))
    opened = await asyncio.gather(*(store.open(about.id) for about in abouts))
    followers = [reader for reader in opened if reader is not None]
    await client.config_resetstat()
    waiting = asyncio.gather(*(reader.read(5) for reader in followers))
    assert 1 <= len(await blocked(client)) <= MOST_READS
    appends = (w.append(Batch(1, 1, [b"%d" % number])) for number, w in enumerate(writers))
    await asyncio.gather(*appends)
    found = await waiting
    assert [batch.blocks for (batch,) in found] == [[b"%d" % n] for n in range(200)]
    counted: Any = await client.info("all")
    assert counted["total_connections_received"] <= MOST_READS
    await store.aclose()


async def test_foreign_data_under_one_key_spoils_no_other_stream(
    server: Server, client: redis.asyncio.Redis
) -> None:
    """The read of several is refused; each is then read alone, and the bad one fails alone."""
    store = RedisStore(server.url)
    abouts = [meta() for _ in range(3)]
    writers = await asyncio.gather(*(store.create(about, new_token()) for about in abouts))
    followers = [reader for about in abouts if (reader := await store.open(about.id))]
    await client.set(keys(abouts[1].id)[1], "x")
    waiting = asyncio.gather(*(reader.read(5) for reader in followers), return_exceptions=True)
    assert await blocked(client)
    for writer in (writers[0], writers[2]):
        await writer.append(Batch(1, 1, [b"a"]))
    first, second, third = await waiting
    assert isinstance(second, StoreError)
    assert first == third == [Batch(1, 1, [b"a"])]
    await store.aclose()


async def test_two_readers_of_one_log_both_get_it(
    server: Server, client: redis.asyncio.Redis
) -> None:
    """Also where one process has both."""
    store = RedisStore(server.url)
    about = meta()
    writer = await store.create(about, new_token())
    followers = [await store.open(about.id), await store.open(about.id)]
    waiting = asyncio.gather(*(reader.read(5) for reader in followers if reader))
    assert await blocked(client)
    await writer.append(Batch(1, 1, [b"a"]))
    assert [batch.blocks for (batch,) in await waiting] == [[b"a"], [b"a"]]
    await store.aclose()


async def test_ids_are_those_of_records(server: Server, client: redis.asyncio.Redis) -> None:
    """An entry's id is that of its last record, and all keys of a stream are in one slot."""
    store = RedisStore(server.url)
    about = meta()
    writer = await store.create(about, new_token())
    await writer.append(Batch(1, 1, [b"a", b"b"]))
    await writer.append(Batch(1, 3, [b"c"]))
    await store.close(about.id, DONE)
    found: Any = await client.xrange(keys(about.id)[1])
    assert [entry_id for entry_id, _ in found] == [b"1-2", b"1-3", b"2-0"]
    assert all(f"{{{about.id}}}" in key for key in keys(about.id))
    await store.aclose()


async def test_everything_expires(server: Server, client: redis.asyncio.Redis) -> None:
    """A log that runs is kept for as long as a stream may take, one that has ended for less."""
    store = RedisStore(server.url, Keep(running=1000, ended=100))
    about = meta()
    writer = await store.create(about, new_token())
    await writer.append(Batch(1, 1, [b"a"]))
    await store.renew(about.id, "v", 5)
    assert 900 < await client.ttl(keys(about.id)[0]) <= 1000
    await writer.append(Batch(1, 2, [], DONE))
    await store.name(about.id, NameBinding(about.id))
    for key in (*keys(about.id)[:2], f"tokenwire:name:{about.id}"):
        assert 0 < await client.ttl(key) <= 1100
    assert await client.ttl(keys(about.id)[1]) <= 100
    found: Any = await client.keys(f"*{about.id}*")
    assert sorted(found) == sorted(
        key.encode() for key in (*keys(about.id), f"tokenwire:name:{about.id}")
    )
    await store.aclose()


async def test_forgotten_log_does_not_come_back(
    server: Server, client: redis.asyncio.Redis
) -> None:
    """A producer that wakes up after its log has expired makes no new one."""
    store = RedisStore(server.url)
    about = meta()
    writer = await store.create(about, new_token())
    reader = await store.open(about.id)
    assert reader is not None
    await client.delete(*keys(about.id))
    for late in (
        writer.append(Batch(1, 1, [b"a"])),
        writer.heartbeat(),
        reader.producer_heartbeat(),
    ):
        with pytest.raises(Missing):
            await late
    assert await client.exists(*keys(about.id)) == 0
    await store.aclose()


async def test_old_blocks_are_trimmed(server: Server) -> None:
    """What the producer no longer holds need not be kept; a reader sees where it begins."""
    store = RedisStore(server.url)
    about = meta()
    writer = await store.create(about, new_token())
    for number in range(1, 11):
        await writer.append(Batch(1, number, [b"x"]), floor=max(1, number - 3))
    reader = await store.open(about.id)
    assert reader is not None
    assert [batch.first for batch in await reader.read(0)] == [7, 8, 9, 10]
    hub = Hub(Limits(), durability=Durability(store))
    assert (await hub.find(about.id, "me")).tail.last == RecordId(1, 10)
    await hub.aclose()
    await store.aclose()


async def test_dead_connections_are_replaced(server: Server, client: redis.asyncio.Redis) -> None:
    """As after a freeze: the first command on a dead socket is sent again on a new one."""
    store = RedisStore(server.url)
    about = meta()
    writer = await store.create(about, new_token())
    await client.client_kill_filter(_type="normal", skipme=True)
    await writer.append(Batch(1, 1, [b"a"]))
    await client.script_flush()
    await writer.append(Batch(1, 2, [b"b"]))
    await store.aclose()


async def test_other_people_s_data_is_not_taken_for_ours(
    server: Server, client: redis.asyncio.Redis
) -> None:
    """Something else under our keys is an error of the store, and not a crash."""
    store = RedisStore(server.url)
    about = meta()
    await store.create(about, new_token())
    await client.xadd(keys(about.id)[1], {"batch": b"\x81nonsense"}, id="1-1")
    reader = await store.open(about.id)
    assert reader is not None
    with pytest.raises(StoreError, match="not a batch"):
        await reader.read(0)
    await store.aclose()
