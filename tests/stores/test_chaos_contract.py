"""The contract's second half, against every store: lost answers, lost time, lost parts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from tests.fakes.memory_store import MemoryStore
from tests.stores.conftest import store_at
from tests.stores.damage import Damage, OfMemory, damage_of
from tests.stores.servers import Server
from tests.stores.test_contract import CANCELLED, DONE, LOST, blocks, everything, meta, opened
from tokenwire.stores.contract import Batch, NameBinding, Store, Writer, new_token
from tokenwire.stores.exceptions import Fenced, Missing, Rewound, StoreError, Taken
from tokenwire.stores.records import Meta, RecordId

KINDS = ["memory", "redis", "valkey", "moto", "dynamodb_local"]
ONE, TWO, THREE = Batch(1, 1, blocks(2)), Batch(1, 3, blocks(1)), Batch(1, 4, blocks(2))


@dataclass(frozen=True, slots=True)
class Harmed:
    """A store, and what can befall it."""

    kind: str
    store: Store
    damage: Damage

    async def begun(self, *batches: Batch) -> tuple[Meta, str, Writer]:
        """A log with these batches: its meta record, its producer's token and hold."""
        about, token = meta(), new_token()
        writer = await self.store.create(about, token)
        for batch in batches:
            await writer.append(batch)
        return about, token, writer


@pytest.fixture(params=KINDS)
async def at(
    request: pytest.FixtureRequest,
    server_of: Callable[[str], Server],
    its_environment: Callable[[Server], None],
) -> AsyncIterator[Harmed]:
    """Each store in turn."""
    if request.param == "memory":
        memory = MemoryStore()
        yield Harmed("memory", memory, OfMemory(memory))
        return
    server = server_of(request.param)
    its_environment(server)
    found, damage = store_at(server), damage_of(server)
    yield Harmed(request.param, found, damage)
    damage.close()
    await found.aclose()


async def rewound(writer: Writer) -> RecordId:
    """The record after which the producer must continue."""
    with pytest.raises(Rewound) as caught:
        await writer.heartbeat()
    return caught.value.last


async def test_every_request_may_be_repeated(at: Harmed) -> None:
    """A request without a response is repeated: it counts once, and producers are not confused."""
    about, token, name = meta(), new_token(), new_token()
    binding = NameBinding(about.id, "f")
    for _ in range(3):
        await at.store.reserve(about)
    for _ in range(3):
        writer = await at.store.adopt(about.id, token)
    for _ in range(3):
        await writer.append(ONE)
        await writer.heartbeat()
        await at.store.renew(about.id, "v", 100)
        assert await at.store.claim(name, binding) is None
        await at.store.name(name, binding)
    assert 90 < await writer.check() < 101
    for _ in range(3):
        await at.store.leave(about.id, "v")
    reader = await opened(at.store, about.id)
    await reader.read(0)
    for _ in range(3):
        await reader.probe_write()
        await reader.end_as_lost(LOST)
    assert await at.store.close(about.id, CANCELLED) == (RecordId(2, 0), LOST)
    assert await everything(at.store, about.id) == [ONE, Batch(2, 0, [], LOST)]
    with pytest.raises(Taken):
        await at.store.reserve(about)
    with pytest.raises(Taken):
        await at.store.create(about, new_token())


async def test_store_in_the_past_says_where_to_go_on(at: Harmed) -> None:
    """The producer writes the rest again, in the same batches; a reader ahead reads on."""
    about, _, writer = await at.begun(ONE)
    older = at.damage.copied(about.id)
    await writer.append(TWO)
    await writer.append(THREE)
    reader = await opened(at.store, about.id)
    ahead = await reader.read(0)
    at.damage.put_back(about.id, older)
    assert await rewound(writer) == ONE.last
    for batch in (TWO, THREE, Batch(1, 6, [], DONE)):
        await writer.append(batch)
    assert await everything(at.store, about.id) == [ONE, TWO, THREE, Batch(1, 6, [], DONE)]
    assert ahead + await reader.read(1) == [ONE, TWO, THREE, Batch(1, 6, [], DONE)]


async def test_end_that_was_undone_is_written_again(at: Harmed) -> None:
    """An acknowledged end is no end where the store does not have it."""
    about, _, writer = await at.begun(ONE)
    older = at.damage.copied(about.id)
    last = Batch(1, 3, blocks(1), DONE)
    await writer.append(last)
    with pytest.raises(Fenced):
        await writer.heartbeat()
    at.damage.put_back(about.id, older)
    assert await rewound(writer) == ONE.last
    await writer.append(last)
    assert await everything(at.store, about.id) == [ONE, last]


async def test_reader_ahead_of_the_store_can_end_it(at: Harmed) -> None:
    """It goes by what is there: nothing later than what it has read."""
    about, _, writer = await at.begun(ONE)
    older = at.damage.copied(about.id)
    await writer.append(TWO)
    reader = await opened(at.store, about.id)
    await reader.read(0)
    at.damage.put_back(about.id, older)
    await reader.end_as_lost(LOST)
    assert (await reader.read(1))[-1] == Batch(2, 0, [], LOST)
    assert await everything(at.store, about.id) == [ONE, Batch(2, 0, [], LOST)]
    with pytest.raises(Fenced):
        await writer.heartbeat()


async def test_log_without_its_head(at: Harmed) -> None:
    """It is missing until its producer makes the head again; its batches are still there."""
    about, token, writer = await at.begun(ONE, TWO)
    reader = await opened(at.store, about.id)
    at.damage.lose_head(about.id)
    assert await at.store.open(about.id) is None
    for call in (
        writer.heartbeat(),
        writer.check(),
        reader.producer_heartbeat(),
        reader.probe_write(),
    ):
        with pytest.raises(Missing):
            await call
    for request in (at.store.adopt(about.id, token), at.store.renew(about.id, "v", 1)):
        with pytest.raises((Missing, Fenced, Taken)):
            await request
    await at.store.leave(about.id, "v")
    again = await at.store.create(about, token)
    assert await rewound(again) == TWO.last
    await again.append(THREE)
    assert await everything(at.store, about.id) == [ONE, TWO, THREE]


async def test_end_of_a_log_without_its_head_counts(at: Harmed) -> None:
    """It can be written there, and the process that makes the head again finds it."""
    about, token, _ = await at.begun(ONE)
    at.damage.lose_head(about.id)
    assert await at.store.close(about.id, CANCELLED) == (RecordId(2, 0), CANCELLED)
    assert await at.store.close(about.id, LOST) == (RecordId(2, 0), CANCELLED)
    again = await at.store.create(about, token)
    with pytest.raises(Fenced) as caught:
        await again.heartbeat()
    assert (caught.value.at, caught.value.end) == (RecordId(2, 0), CANCELLED)


async def test_log_without_its_batches(at: Harmed) -> None:
    """Its producer writes them again, its own end after them."""
    about, _, writer = await at.begun(ONE, Batch(1, 3, [], DONE))
    at.damage.lose_batches(about.id)
    assert (await rewound(writer)).seq == 0
    await writer.append(ONE)
    await writer.append(Batch(1, 3, [], DONE))
    assert await everything(at.store, about.id) == [ONE, Batch(1, 3, [], DONE)]


async def test_nothing_is_left(at: Harmed) -> None:
    """``Missing``, or None; the producer makes the log anew with its token."""
    about, token, writer = await at.begun(ONE)
    reader = await opened(at.store, about.id)
    name = new_token()
    await at.store.name(name, NameBinding(about.id))
    at.damage.lose_everything()
    for call in (writer.heartbeat(), reader.producer_heartbeat(), reader.end_as_lost(LOST)):
        with pytest.raises(Missing):
            await call
    with pytest.raises(Missing):
        await at.store.close(about.id, LOST)
    assert await at.store.lookup(name) is None
    assert await everything_or_none(at.store, about.id) is None
    again = await at.store.create(about, token)
    await again.append(ONE)
    assert await everything(at.store, about.id) == [ONE]


async def everything_or_none(store: Store, stream_id: str) -> list[Batch] | None:
    """All batches; None without a log."""
    return None if await store.open(stream_id) is None else await everything(store, stream_id)


@pytest.mark.parametrize("kind", ["moto", "dynamodb_local"])
async def test_hole_in_a_table(
    kind: str, server_of: Callable[[str], Server], its_environment: Callable[[Server], None]
) -> None:
    """An item in the middle is gone: a producer restores it; without one, readers get an error."""
    server = server_of(kind)
    its_environment(server)
    store, damage = store_at(server), damage_of(server)
    harmed = Harmed(kind, store, damage)
    about, _, writer = await harmed.begun(ONE, TWO, THREE)
    reader = await opened(store, about.id)
    whole = damage.copied(about.id)
    damage.put_back(about.id, [item for item in whole if item["sk"]["N"] != "2"])
    assert await reader.read(0) == [ONE]
    assert await reader.read(0) == []
    with pytest.raises(Missing):
        await reader.end_as_lost(LOST)
    assert await rewound(writer) == ONE.last
    await writer.append(TWO)
    await writer.append(THREE)
    assert await reader.read(1) == [TWO, THREE]
    damage.close()
    await store.aclose()


@pytest.mark.parametrize("kind", ["redis", "valkey"])
async def test_foreign_data_is_an_error_of_the_store(
    kind: str, server_of: Callable[[str], Server], its_environment: Callable[[Server], None]
) -> None:
    """Keys of another kind, fields that are no numbers, a meta record that is none."""
    from tests.stores.servers import redis_command
    from tokenwire.stores.redis.server import keys

    server = server_of(kind)
    store = store_at(server)
    about = meta()
    await store.create(about, new_token())
    reader = await opened(store, about.id)
    head, log = keys(about.id)
    redis_command(server, "HSET", head, "pulse", "x", "meta", "{}", "last", "nonsense")
    redis_command(server, "SET", log, "x")
    for call in (
        reader.producer_heartbeat(),
        reader.read(0),
        reader.end_as_lost(LOST),
        store.open(about.id),
    ):
        with pytest.raises(StoreError):
            await call
    await store.aclose()
