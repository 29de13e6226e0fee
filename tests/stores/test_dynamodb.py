"""What holds for DynamoDB alone: expiry that is checked here, pieces, stale reads, the table."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.stores.conftest import store_at
from tests.stores.servers import Server
from tokenwire.stores.contract import Batch, Keep, NameBinding, new_token
from tokenwire.stores.dynamodb.items import Reassembly, key, of_batch
from tokenwire.stores.dynamodb.store import DynamoDBStore
from tokenwire.stores.exceptions import Missing, StoreError
from tokenwire.stores.records import End, EndReason, Meta
from tokenwire.streams.hub import Hub
from tokenwire.streams.limits import Durability, Limits
from tokenwire.streams.stream import new_id

DONE = End(EndReason.DONE)


def meta() -> Meta:
    """A stream's first record."""
    return Meta(new_id(), "me", "test", "chat", "m", 1)


@pytest.fixture
async def store_of(
    server_of: Callable[[str], Server], its_environment: Callable[[Server], None]
) -> AsyncIterator[Callable[[Keep], DynamoDBStore]]:
    """Makes a store that keeps logs for so long."""
    server = server_of("moto")
    its_environment(server)
    made: list[DynamoDBStore] = []

    def make(keep: Keep) -> DynamoDBStore:
        found = store_at(server, keep)
        assert isinstance(found, DynamoDBStore)
        made.append(found)
        return found

    yield make
    for store in made:
        await store.aclose()


async def test_expired_is_gone_before_it_is_deleted(
    store_of: Callable[[Keep], DynamoDBStore],
) -> None:
    """DynamoDB takes its time to delete; readers do not wait for that."""
    store = store_of(Keep(running=-10, ended=-10))
    about = meta()
    writer = await store.create(about, new_token())
    assert await store.open(about.id) is None
    await writer.append(Batch(1, 1, [b"a"], DONE))
    await store.name(about.id, NameBinding(about.id))
    assert await store.lookup(about.id) is None
    assert await store.claim(about.id, NameBinding("st_other")) is None

    ended = store_of(Keep(running=100, ended=-10))
    about = meta()
    await (await ended.create(about, new_token())).append(Batch(1, 1, [b"a"], DONE))
    reader = await ended.open(about.id)
    assert reader is not None
    with pytest.raises(Missing):
        await reader.read(0)
    hub = Hub(Limits(), durability=Durability(ended))
    assert await ended.open(about.id) is not None
    with pytest.raises(Exception, match="no such stream"):
        await hub.find(about.id, "me")
    await hub.aclose()


def test_pieces_are_put_together() -> None:
    """A block larger than an item is divided; an end in the midst of it is another's."""
    big = Batch(1, 1, [os.urandom(900_000)])
    items = of_batch(key("s", 1), big, "token", {"expires_at": {"N": "1"}})
    assert [item["sk"]["N"] for item in items] == ["1", "2", "3"]
    assert all(len(item["batch"]["B"]) < 400_000 for item in items)
    whole = Reassembly()
    assert [whole.take(item) for item in items] == [[], [], [big]]

    end = Batch(2, 0, [], DONE)
    (ended,) = of_batch(key("s", 2), end, "", {"expires_at": {"N": "1"}})
    cut = Reassembly()
    assert [cut.take(items[0]), cut.take(ended)] == [[], [end]]


def test_stale_pages_are_not_read_over() -> None:
    """An item that is not the next one is left for a later read."""
    expires = {"expires_at": {"N": "1"}}
    items = [of_batch(key("s", n), Batch(1, n, [b"x"]), "t", expires)[0] for n in (1, 2, 3)]
    reader = Reassembly()
    assert reader.take(items[0]) == [Batch(1, 1, [b"x"])]
    assert reader.take(items[2]) == reader.take(items[0]) == []
    assert reader.take(items[1]) == [Batch(1, 2, [b"x"])]
    with pytest.raises(StoreError):
        reader.take({**items[2], "batch": {"B": b"nonsense"}})


async def test_failures_are_named_by_their_code(
    store_of: Callable[[Keep], DynamoDBStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that does not exist, and an address without a server."""
    store = store_of(Keep())
    store.table.name = "another"
    with pytest.raises(StoreError, match=r"DynamoDB failed \(ResourceNotFoundException\)"):
        await store.create(meta(), new_token())
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
    with pytest.raises(StoreError, match="DynamoDB failed") as caught:
        await store_of(Keep()).create(meta(), new_token())
    assert "127.0.0.1" not in str(caught.value)


def test_template_makes_the_table_that_the_store_uses() -> None:
    """The keys, the attribute of the time to live, and each action that the store needs."""
    template = Path("template.yaml").read_text()
    table = template.partition("  StreamsTable:\n")[2].partition("\n  LambdaAsgiLayer:")[0]
    keys = re.findall(r"AttributeName: (\w+)\n +(KeyType|AttributeType|Enabled): (\S+)", table)
    assert keys == [
        ("pk", "KeyType", "HASH"),
        ("sk", "KeyType", "RANGE"),
        ("pk", "AttributeType", "S"),
        ("sk", "AttributeType", '"N"'),
        ("expires_at", "Enabled", "true"),
    ]
    source = Path("functions/proxy/tokenwire/stores/dynamodb/table.py").read_text()
    requests = re.findall(r"client\.((?:get|put|update|batch_get)_item|query)\b", source)
    actions = {"dynamodb:" + name.title().replace("_", "") for name in requests}
    assert actions == set(re.findall(r"dynamodb:[A-Z]\w+", template))
