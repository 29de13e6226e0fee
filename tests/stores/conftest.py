"""The stores under test, each before its real server, started once and shared."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from tests.stores.servers import KINDS, Server
from tokenwire.stores.contract import Keep, Store
from tokenwire.stores.dynamodb.store import DynamoDBStore
from tokenwire.stores.memory import MemoryStore
from tokenwire.stores.redis.store import RedisStore

KEEP = Keep(running=60, ended=30)


def store_at(server: Server, keep: Keep = KEEP) -> RedisStore | DynamoDBStore:
    """The store that is told of this server."""
    scheme, _, place = server.url.partition("://")
    return DynamoDBStore(place, keep) if scheme == "dynamodb" else RedisStore(server.url, keep)


@pytest.fixture(params=["memory", *KINDS])
async def store(
    request: pytest.FixtureRequest,
    server_of: Callable[[str], Server],
    its_environment: Callable[[Server], None],
) -> AsyncIterator[Store]:
    """Each store in turn."""
    if request.param == "memory":
        yield MemoryStore(KEEP)
        return
    server = server_of(request.param)
    its_environment(server)
    found = store_at(server)
    await found.prepare()
    yield found
    await found.aclose()
