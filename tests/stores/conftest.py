"""The stores under test, each before its real server, started once and shared."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
import redis.asyncio

from tests.plugins.toy_store import ToyStore
from tests.stores.servers import KINDS, Server
from tokenwire.stores.contract import Keep, Store
from tokenwire.stores.dynamodb.store import DynamoDBStore
from tokenwire.stores.memory import MemoryStore
from tokenwire.stores.redis.store import RedisStore

KEEP = Keep(running=60, ended=30)


def store_at(server: Server, keep: Keep = KEEP, timeout: float = 2.0) -> RedisStore | DynamoDBStore:
    """Return the store at this server, which waits ``timeout`` seconds for a response."""
    scheme, _, place = server.url.partition("://")
    if scheme == "dynamodb":
        return DynamoDBStore(place, keep, timeout)
    return RedisStore(server.url, keep, timeout)


@pytest.fixture
def server(server_of: Callable[[str], Server]) -> Server:
    """Debian's Redis."""
    return server_of("redis")


@pytest.fixture
async def client(server: Server) -> AsyncIterator[redis.asyncio.Redis]:
    """A client of this Redis, beside the store's."""
    async with redis.asyncio.Redis(port=server.port) as found:
        yield found


@pytest.fixture(params=["memory", "toy", *KINDS])
async def store(
    request: pytest.FixtureRequest,
    server_of: Callable[[str], Server],
    its_environment: Callable[[Server], None],
) -> AsyncIterator[Store]:
    """Each store in turn."""
    if request.param == "memory":
        yield MemoryStore(KEEP)
        return
    if request.param == "toy":
        yield ToyStore(KEEP)
        return
    server = server_of(request.param)
    its_environment(server)
    found = store_at(server)
    await found.prepare()
    yield found
    await found.aclose()
