"""A store that takes no writes, does not answer for a long time, or answers slowly."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.memory_store import MemoryStore
from tests.fakes.relay import Relay, relay
from tests.fakes.upstream import text
from tests.fakes.virtual import run
from tests.stores.conftest import KEEP
from tests.stores.damage import Damage, OfMemory, damage_of
from tests.stores.scene import LEASE, Scene, finish, stream_of
from tests.stores.servers import Server, configure, redis_command
from tests.stores.servers import redis as redis_server
from tests.stores.servers import valkey as valkey_server
from tests.stores.test_contract import DONE, blocks, meta
from tests.stores.test_faults import Throttling, throttling  # noqa: F401 - a fixture
from tests.streams.test_keeping import Tap, Trouble, read, start
from tokenwire.stores.contract import Batch, NameBinding, Store, new_token
from tokenwire.stores.dynamodb.store import DynamoDBStore
from tokenwire.stores.exceptions import StoreError
from tokenwire.stores.records import EndReason
from tokenwire.stores.redis.store import RedisStore
from tokenwire.streams.hub import Hub
from tokenwire.streams.limits import Durability, Limits
from tokenwire.streams.policy import CONTINUE
from tokenwire.streams.stream import Stream

ServerOf = Callable[[str], Server]
Environment = Callable[[Server], None]


@asynccontextmanager
async def two_hubs(store: Store, other: Store, damage: Damage) -> AsyncIterator[Scene]:
    """Two processes at a store."""
    here, there = (Hub(Limits(), durability=Durability(one, LEASE)) for one in (store, other))
    try:
        yield Scene(store, other, damage, here, there)
    finally:
        await here.aclose()
        await there.aclose()
        await store.aclose()
        await other.aclose()
        damage.close()


async def read_all(at: Hub, stream: Stream) -> list[bytes]:
    """All of a stream, which may be silent for long."""
    found: list[bytes] = []
    with at.watch(stream, stream.tail.first) as reader:
        while reader.ended is None:
            await reader.wait(30)
            found += reader.take()
    return found


async def stays_alive(at: Scene, deny: Callable[[], None], allow: Callable[[], None]) -> None:
    """A stream through three periods without writes, each longer than a lease."""
    stream, tap = await at.begin("a")
    remote = await at.there.find(stream.meta.id, "me")
    watching = asyncio.create_task(read_all(at.there, remote))
    for number in range(3):
        deny()
        tap.send(text(str(number)))
        await asyncio.sleep(LEASE * 1.4 + number * 0.21)
        assert not remote.tail.over
        allow()
        await asyncio.sleep(LEASE * 1.7)
        assert stream.tail.end is None, "ended for its own caller"
        assert not remote.tail.over
    await finish(tap, stream)
    assert await watching == stream_of("a", "0", "1", "2")
    assert remote.tail.end == stream.tail.end
    assert await at.late(stream) == (stream_of("a", "0", "1", "2"), "done")


@pytest.mark.outside
@pytest.mark.parametrize("make", [redis_server, valkey_server])
async def test_redis_without_memory_ends_no_live_stream(
    make: Callable[[Path], Server], tmp_path: Path
) -> None:
    """A producer whose writes the store refuses is not taken for dead."""
    server = make(tmp_path)
    server.start()
    try:
        stores = [RedisStore(server.url, KEEP), RedisStore(server.url, KEEP)]
        async with two_hubs(stores[0], stores[1], damage_of(server)) as at:
            await stays_alive(
                at,
                lambda: configure(server, "maxmemory", "1"),
                lambda: configure(server, "maxmemory", "0"),
            )
    finally:
        server.stop()


def behind_the_door(door: Throttling, its_environment: Environment) -> Server:
    """Lead boto3 to the door; return the server behind it."""
    behind = door.behind
    address = {"AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{door.port}"}
    its_environment(Server([], behind.folder, "", 0, {**behind.environ, **address}))
    return behind


async def test_dynamodb_denying_writes_ends_no_live_stream(
    throttling: Throttling,  # noqa: F811
    its_environment: Environment,
) -> None:
    """As a table does that is throttled, or a role that may only read."""
    behind = behind_the_door(throttling, its_environment)
    throttling.reads_pass = True
    stores = [DynamoDBStore(behind.url.partition("://")[2], KEEP) for _ in range(2)]

    def switch(*, on: bool) -> None:
        throttling.on = on

    async with two_hubs(stores[0], stores[1], damage_of(behind)) as at:
        await stays_alive(at, lambda: switch(on=True), lambda: switch(on=False))
    assert throttling.refused > 0


async def test_dynamodb_is_tried_again_at_once(
    throttling: Throttling,  # noqa: F811
    its_environment: Environment,
) -> None:
    """Once: a client that slept as long as the server requests (30 s) would lose its lease."""
    behind = behind_the_door(throttling, its_environment)
    store = DynamoDBStore(behind.url.partition("://")[2], KEEP)
    throttling.on = True
    async with asyncio.timeout(20):
        with pytest.raises(StoreError, match="ThrottlingException"):
            await store.name("n", NameBinding("st_x"))
        assert throttling.refused == 2
        throttling.refuses = 1
        await store.name("n", NameBinding("st_x"))
    assert throttling.refused == 3
    assert await store.lookup("n") == NameBinding("st_x")
    await store.aclose()


def test_first_request_after_a_denial_is_no_death_sentence() -> None:
    """Of two processes, the one that may write first again is the viewer's: it waits all the same.

    For half a lease after its own first write, which its producer can use to show life.
    """
    run(denied_to_both)


async def denied_to_both() -> None:
    """Deny both processes every write for three leases."""
    is_denied = False

    async def denied() -> None:
        if is_denied:
            raise StoreError("scripted")

    memory = MemoryStore(denied=denied)
    async with two_hubs(memory, memory, OfMemory(memory)) as at:
        stream, _ = await at.begin("a")
        follower = (await at.there.find(stream.meta.id, "me")).task
        assert follower is not None
        is_denied = True
        await asyncio.sleep(LEASE * 3)
        is_denied = False
        assert stream.tail.end is None
        await asyncio.sleep(LEASE * 1.5)
        assert stream.tail.end is None
        assert not follower.done()


def test_producer_waits_minutes_with_its_end() -> None:
    """The end of a stream is written whenever the store takes writes again."""
    run(ended_in_a_long_outage)


async def ended_in_a_long_outage() -> None:
    """End a stream while the store fails, which lasts minutes."""
    trouble = Trouble()
    memory = MemoryStore(trouble)
    async with two_hubs(memory, memory, OfMemory(memory)) as at:
        stream, tap = await at.begin("a")
        trouble.on = True
        tap.send(text("b"))
        await finish(tap, stream)
        await asyncio.sleep(120)
        assert not stream.copy.complete
        trouble.on = False
        await at.kept(stream, 5)
        assert await at.late(stream) == (stream_of("a", "b"), "done")


@asynccontextmanager
async def behind_relay(
    server: Server, environment: Environment, timeout: float = 2.0
) -> AsyncIterator[tuple[Relay, Scene]]:
    """Two processes whose store is behind a relay."""
    async with relay(server.port) as between:
        if server.url.startswith("dynamodb"):
            environ = {**server.environ, "AWS_ENDPOINT_URL_DYNAMODB": between.base_url}
            environment(Server([], server.folder, "", 0, environ))
            table = server.url.partition("://")[2]
            stores: list[Store] = [DynamoDBStore(table, KEEP, timeout) for _ in range(2)]
        else:
            url = f"redis://127.0.0.1:{between.port}"
            stores = [RedisStore(url, KEEP, timeout) for _ in range(2)]
        async with two_hubs(stores[0], stores[1], damage_of(server)) as at:
            yield between, at


@pytest.mark.parametrize("kind", ["redis", "valkey", "dynamodb_local"])
async def test_stream_that_ended_in_an_outage_is_given_later(
    kind: str, server_of: ServerOf, its_environment: Environment
) -> None:
    """Longer than a lease."""
    async with behind_relay(server_of(kind), its_environment) as (between, at):
        stream, tap = await at.begin("a")
        between.refuses = True
        between.cut()
        tap.send(text("b"))
        await finish(tap, stream)
        await asyncio.sleep(LEASE * 1.5)
        assert stream.end is not None
        was_kept, between.refuses = stream.copy.complete, False
        await at.kept(stream, 5)
        assert (was_kept, stream.end.reason) == (False, EndReason.DONE)
        assert await at.late(stream) == (stream_of("a", "b"), "done")


@pytest.mark.parametrize("kind", ["redis", "valkey"])
async def test_slow_link_catches_up_page_by_page(
    kind: str, server_of: ServerOf, its_environment: Environment
) -> None:
    """640 KB at 250 KB a second: no response takes so long that it is aborted and sent again."""
    async with behind_relay(server_of(kind), its_environment, timeout=1.0) as (between, at):
        about, large = meta(), blocks(160, 4096)
        writer = await at.store.create(about, new_token())
        for number, block in enumerate(large, 1):
            await writer.append(Batch(1, number, [block]))
        await writer.append(Batch(1, 161, [], DONE))
        between.bandwidth = 250_000
        remote = await at.there.find(about.id, "me")
        assert await read(at.there, remote) == large
        assert between.connections < 12


@pytest.mark.parametrize("kind", ["redis", "valkey"])
async def test_link_that_is_too_slow_is_503_and_not_404(
    kind: str, server_of: ServerOf, its_environment: Environment
) -> None:
    """What cannot be read is not what is not there."""
    async with behind_relay(server_of(kind), its_environment, timeout=0.3) as (between, at):
        about = meta()
        writer = await at.store.create(about, new_token())
        await writer.append(Batch(1, 1, blocks(1, 200_000)))
        between.bandwidth = 50_000
        with pytest.raises(Exception, match="Redis failed") as caught:
            await at.there.find(about.id, "me")
        assert getattr(caught.value, "status", 0) == 503


@pytest.mark.outside
@pytest.mark.parametrize("make", [redis_server, valkey_server])
async def test_connections_and_keys_return_to_where_they_were(
    make: Callable[[Path], Server], tmp_path: Path
) -> None:
    """After 150 streams at a time: idle connections are closed, and every key has an end."""
    server = make(tmp_path)
    server.start()
    try:
        store, other = (RedisStore(server.url, KEEP, idle=0.5) for _ in range(2))
        async with two_hubs(store, other, damage_of(server)) as at:
            await asyncio.gather(*(one_stream(at, number) for number in range(150)))
            most = connections(server)
            # Streams that are over are still looked after, by a few at a time.
            async with asyncio.timeout(15):
                while connections(server) > 8:
                    await asyncio.sleep(0.2)
            assert 0 < most < 75  # streams share connections
        keys: Any = redis_command(server, "KEYS", "*")
        assert len(keys) >= 300
        assert all(redis_command(server, "TTL", key) > 0 for key in keys)
    finally:
        server.stop()


def connections(server: Server) -> int:
    """The number of clients of a Redis, without the one that counts them."""
    info: Any = redis_command(server, "INFO", "clients")
    return int(info["connected_clients"]) - 1


async def one_stream(at: Scene, number: int) -> None:
    """A stream that is watched elsewhere, by a viewer that may leave at any point."""
    tap = Tap()
    stream = await start(at.here, tap, CONTINUE)
    tap.send(text("a"))
    await stream.copy.created()  # before it is in the store no other process can find it
    remote = await at.there.find(stream.meta.id, "me")
    viewer = asyncio.create_task(read(at.there, remote))
    await asyncio.sleep(number % 7 * 0.02)
    if number % 2:
        viewer.cancel()
    await finish(tap, stream)
    await asyncio.gather(viewer, return_exceptions=True)
    await at.here.settled(stream)
