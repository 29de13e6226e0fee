"""Faults between a store's client and its server: what breaks, what is lost, who has stepped down.

Nothing that a library raises leaves its room: it is a ``StoreError``, with the kind alone.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest
import redis.exceptions

from tests.fakes.relay import Relay, relay
from tests.stores.conftest import KEEP
from tests.stores.servers import Server, configure, redis_command
from tests.stores.servers import redis as redis_server
from tests.stores.test_contract import DONE, blocks, everything, meta
from tokenwire.stores.contract import Batch, NameBinding, Store, Writer, new_token
from tokenwire.stores.dynamodb.store import DynamoDBStore
from tokenwire.stores.dynamodb.table import Table
from tokenwire.stores.exceptions import Fenced, Missing, StoreError, Taken
from tokenwire.stores.redis.server import Server as RedisServer
from tokenwire.stores.redis.store import RedisStore

SECRET = "hunter2"
BUILTIN = [
    RuntimeError(f"unable to perform operation on {SECRET}; the handler is closed"),
    OSError(9, SECRET),
    ConnectionResetError(SECRET),
    TimeoutError(SECRET),
    AttributeError(SECRET),
    ValueError(SECRET),
    EOFError(SECRET),
    AssertionError(SECRET),
]


def of_redis() -> list[Exception]:
    """One of each kind that redis-py has."""
    kinds = [kind for _, kind in inspect.getmembers(redis.exceptions, inspect.isclass)]
    found = []
    for kind in kinds:
        if issubclass(kind, Exception) and kind.__module__ == "redis.exceptions":
            moved = issubclass(kind, redis.exceptions.AskError)
            found.append(kind(f"7 {SECRET}:1" if moved else SECRET))
    return found


def of_boto() -> list[Exception]:
    """One of each kind that botocore has."""
    kinds = [kind for _, kind in inspect.getmembers(botocore.exceptions, inspect.isclass)]
    found: list[Exception] = []
    for kind in kinds:
        if issubclass(kind, Exception) and kind.__module__ == "botocore.exceptions":
            one = kind.__new__(kind)
            Exception.__init__(one, SECRET)
            found.append(one)
    code = {"Error": {"Code": "ThrottlingException", "Message": SECRET}}
    return [*found, botocore.exceptions.ClientError(code, "PutItem")]  # type: ignore[arg-type]


class Raising:
    """A client of which every request raises this."""

    def __init__(self, error: Exception) -> None:
        self._error = error
        self.count = 0

    async def execute_command(self, *_: Any) -> Any:
        """As redis-py's."""
        self.count += 1
        raise self._error

    def close(self) -> None:
        """As boto3's."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def request(**_: Any) -> Any:
            self.count += 1
            raise self._error

        return request


@pytest.mark.parametrize("errors", [BUILTIN, of_redis()], ids=["builtin", "redis"])
async def test_every_failure_of_redis_py_is_a_store_error(errors: list[Exception]) -> None:
    """Also those that are not redis-py's own; the text has the kind and nothing else."""
    assert len(errors) > 5
    for error in errors:
        server = RedisServer("redis://x", 1, partial(Raising, error))
        with pytest.raises(StoreError) as caught:
            await server.send("PING")
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize("errors", [BUILTIN, of_boto()], ids=["builtin", "botocore"])
async def test_every_failure_of_boto3_is_a_store_error(errors: list[Exception]) -> None:
    """For each request that the store makes, and each kind of failure that botocore has."""
    assert len(errors) > 5
    # At the same time: after some of them the table waits before it repeats the request.
    await asyncio.gather(*(none_escapes(error) for error in errors))


async def none_escapes(error: Exception) -> None:
    """Each request of a table whose client raises this."""
    client: Any = Raising(error)
    table = Table("t", 1, lambda: client)
    for call in (
        table.get({}),
        table.get_all([{}]),
        table.after({}, 1, consistent=True),
        table.last({}),
        table.put({}, "c"),
        table.update({}, "SET x = :y", {}),
    ):
        with pytest.raises(StoreError) as caught:
            await call
        assert SECRET not in str(caught.value)
    table.close()


async def test_request_after_closing_is_a_store_error() -> None:
    """boto3's threads are gone by then: their ``RuntimeError`` does not leave the room either."""
    client: Any = Raising(RuntimeError())
    table = Table("t", 1, lambda: client)
    table.close()
    with pytest.raises(StoreError):
        await table.get({})


@asynccontextmanager
async def relayed(
    server: Server, environment: Callable[[Server], None]
) -> AsyncIterator[tuple[Relay, Store]]:
    """A store behind a relay to this server."""
    async with relay(server.port) as between:
        if server.url.startswith("dynamodb"):
            environ = {**server.environ, "AWS_ENDPOINT_URL_DYNAMODB": between.base_url}
            environment(Server([], server.folder, "", 0, environ))
            store: Store = DynamoDBStore(server.url.partition("://")[2], KEEP)
        else:
            store = RedisStore(f"redis://127.0.0.1:{between.port}", KEEP)
        await store.prepare()
        yield between, store
        await store.aclose()


WRITES = {
    "create": "PutItem",
    "adopt": "UpdateItem",
    "append": "PutItem",
    "heartbeat": "UpdateItem",
}


@pytest.mark.parametrize("what", WRITES)
@pytest.mark.parametrize("kind", ["redis", "valkey", "dynamodb_local"])
async def test_lost_answer_fences_no_producer_from_itself(
    kind: str,
    what: str,
    server_of: Callable[[str], Server],
    its_environment: Callable[[Server], None],
) -> None:
    """A write whose response is lost three times is sent again, and counts once."""
    async with relayed(server_of(kind), its_environment) as (between, store):
        about, token, one = meta(), new_token(), Batch(1, 1, blocks(2))
        writer: Writer | None = None
        if what == "adopt":
            await store.reserve(about)
        elif what != "create":
            writer = await store.create(about, token)
        between.lose, between.lose_if = 3, WRITES[what].encode() if "dynamo" in kind else b""

        async def ask() -> None:
            nonlocal writer
            if what == "create":
                writer = await store.create(about, token)
            elif what == "adopt":
                writer = await store.adopt(about.id, token)
            else:
                assert writer is not None
                await (writer.append(one) if what == "append" else writer.heartbeat())

        await insist(ask)
        assert between.lose == 0
        assert writer is not None
        if what != "append":
            await writer.append(one)
        await writer.append(Batch(1, 3, [], DONE))
        assert await everything(store, about.id) == [one, Batch(1, 3, [], DONE)]


async def insist(ask: Callable[[], Awaitable[None]]) -> None:
    """Ask as the keeper does, until it is done."""
    for _ in range(5):
        try:
            await ask()
            return
        except (Taken, Fenced, Missing):
            raise
        except StoreError:
            continue
    raise AssertionError("it was never done")


@pytest.mark.parametrize("kind", ["redis", "valkey", "dynamodb_local"])
async def test_answer_that_breaks_off_is_asked_again(
    kind: str, server_of: Callable[[str], Server], its_environment: Callable[[Server], None]
) -> None:
    """A connection that is reset inside a reply: the reader misses and doubles nothing."""
    async with relayed(server_of(kind), its_environment) as (between, store):
        about, large = meta(), Batch(1, 1, blocks(20, 5000))
        writer = await store.create(about, new_token())
        await writer.append(large)
        reader = await store.open(about.id)
        assert reader is not None
        between.break_after = half = 30_000
        found: list[Batch] = []
        for _ in range(5):
            try:
                found += await reader.read(0)
            except StoreError:
                continue
        assert between.break_after != half
        assert found == [large]


@pytest.mark.parametrize("kind", ["redis", "valkey", "moto", "dynamodb_local"])
async def test_truncated_answer_is_not_an_empty_one(
    kind: str, server_of: Callable[[str], Server], its_environment: Callable[[Server], None]
) -> None:
    """An answer that breaks off at any byte, again too: what is there is not taken for missing."""
    async with relayed(server_of(kind), its_environment) as (between, store):
        about = meta()
        writer = await store.create(about, new_token())
        await writer.append(Batch(1, 1, blocks(1, 200)))
        reader = await store.open(about.id)
        assert reader is not None
        for size in (5, 17, 40, 60, 90, 120, 150, 200, 240, 280, 330, 400, 500, 600):
            between.cut()
            between.break_each = size
            try:
                assert await store.open(about.id) is not None
                await reader.producer_heartbeat()
                await writer.check()
                await writer.heartbeat()
            except (Missing, Taken, Fenced):
                raise
            except StoreError:
                continue


@pytest.mark.parametrize("refusal", ["READONLY", "MASTERDOWN", "NOREPLICAS"])
async def test_server_that_has_stepped_down_is_left(refusal: str, tmp_path: Path) -> None:
    """A demoted primary refuses writes on connections that stay open: they are made anew.

    The name leads to the new primary by then: here, the relay does.
    """
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    old, new = redis_server(tmp_path / "old"), redis_server(tmp_path / "new")
    old.start()
    new.start()
    try:
        async with relay(old.port) as between:
            store = RedisStore(f"redis://127.0.0.1:{between.port}", KEEP)
            about, token = meta(), new_token()
            readers = [asyncio.create_task(store.lookup(str(i))) for i in range(10)]
            await asyncio.gather(*readers)  # connections that would go on to be used
            await store.create(about, token)
            demote(old, refusal)
            between.target = new.port
            await asyncio.gather(*(store.name(str(i), NameBinding(f"st_{i}")) for i in range(10)))
            writer = await store.create(about, token)
            await writer.append(Batch(1, 1, [b"a"], DONE))
            assert await everything(store, about.id) == [Batch(1, 1, [b"a"], DONE)]
            await store.aclose()
    finally:
        old.stop()
        new.stop()


def demote(server: Server, refusal: str) -> None:
    """Let a server refuse writes as one that is no primary does."""
    if refusal == "NOREPLICAS":
        configure(server, "min-replicas-to-write", "1")
        return
    if refusal == "MASTERDOWN":
        configure(server, "replica-serve-stale-data", "no")
    redis_command(server, "REPLICAOF", "127.0.0.1", "1")
