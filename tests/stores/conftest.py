"""The stores under test, each before its real server, started once and shared."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes.memory_store import MemoryStore
from tests.stores.servers import KINDS, NotHere, Server
from tokenwire.streams.dynamodb import DynamoDBStore
from tokenwire.streams.redis import RedisStore
from tokenwire.streams.store import Keep, Store

KEEP = Keep(running=60, ended=30)


@pytest.fixture(scope="session")
def server_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """Starts a server of a kind, or finds the one that runs."""
    running: dict[str, Server] = {}

    def find(kind: str) -> Server:
        if kind not in running:
            try:
                server = KINDS[kind](tmp_path_factory.mktemp(kind))
            except NotHere as why:
                pytest.skip(str(why))
            running[kind] = server
            server.start()
        return running[kind]

    yield find
    for server in running.values():
        server.stop()


def store_at(server: Server, keep: Keep = KEEP) -> RedisStore | DynamoDBStore:
    """The store that is told of this server."""
    scheme, _, place = server.url.partition("://")
    return DynamoDBStore(place, keep) if scheme == "dynamodb" else RedisStore(server.url, keep)


@pytest.fixture
def its_environment() -> Iterator[Callable[[Server], None]]:
    """Puts what boto3 needs for a server into the process's environment, and takes it out."""
    before = dict(os.environ)
    yield lambda server: os.environ.update(server.environ)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(params=["memory", *KINDS])
async def store(
    request: pytest.FixtureRequest,
    server_of: Callable[[str], Server],
    its_environment: Callable[[Server], None],
) -> AsyncIterator[Store]:
    """Each store in turn."""
    if request.param == "memory":
        yield MemoryStore()
        return
    server = server_of(request.param)
    its_environment(server)
    found = store_at(server)
    await found.prepare()
    yield found
    await found.aclose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a server of the test's own."""
    return tmp_path
