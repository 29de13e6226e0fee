"""When a producer counts as dead: a whole lease of silence in a store that takes writes."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from tests.fakes.memory_store import Log, MemoryStore
from tests.fakes.upstream import ROLE
from tests.fakes.virtual import run
from tests.streams.test_keeping import LEASE, Tap, hub, start
from tokenwire.stores.exceptions import StoreError
from tokenwire.stores.records import EndReason
from tokenwire.streams.silence import Silence


def test_death_takes_a_lease_after_the_first_write() -> None:
    """Half a lease of silence, a write, and a full lease in which the store takes each write."""
    silence = Silence(4.0, now=0.0)
    assert not silence.wants_probe(2.0)
    assert silence.wants_probe(2.5)
    for now in (2.5, 3.5, 4.5, 5.5, 6.5):
        assert not silence.is_death(now)
        silence.probed(now)
    assert not silence.is_death(6.5)
    assert silence.is_death(6.6)


def test_sign_of_life_begins_anew() -> None:
    """A failure of the store has the same result."""
    silence = Silence(4.0, now=0.0)
    for now in (3.0, 4.0, 5.0, 6.0, 7.0):
        silence.probed(now)
    silence.reset(7.0)
    assert not silence.is_death(7.5)
    assert not silence.wants_probe(9.0)
    assert silence.wants_probe(9.1)


def test_reader_that_was_frozen_has_seen_nothing() -> None:
    """Between two writes of its own that are far apart the store may have taken no write."""
    silence = Silence(4.0, now=0.0)
    silence.probed(3.0)
    assert not silence.is_death(8.0)
    silence.probed(8.0)
    assert not silence.is_death(10.0)
    for now in (10.0, 12.0):
        silence.probed(now)
    assert silence.is_death(12.1)


def test_next_step_is_on_time() -> None:
    """A dead producer is found at most a quarter of a lease late; then there is no next step."""
    silence = Silence(4.0, now=0.0)
    assert silence.next_step(0.5) == 1.5
    silence.probed(3.0)
    assert silence.next_step(4.0) == 3.0
    assert silence.next_step(7.1) == float("inf")


@pytest.mark.parametrize("here", [0.0, 0.5, 0.9], ids="the producer waits for {}".format)
@pytest.mark.parametrize("there", [0.0, 0.5, 0.9], ids="the viewer waits for {}".format)
def test_store_that_comes_back_gives_the_producer_a_lease(here: float, there: float) -> None:
    """Even if the viewer's process writes first, and the clients try again late, and silently."""
    wrong = [number / 20 for number in range(60) if run(partial(_outage, number / 20, here, there))]
    assert wrong == []


async def _outage(leases: float, *backoffs: float) -> bool:
    """Writes are denied for so long, once the stream is watched; whether that ends it."""
    is_denied = False

    async def tried_twice(backoff: float) -> None:
        if is_denied:
            await asyncio.sleep(backoff * LEASE)
        if is_denied:
            raise StoreError("scripted")

    logs: dict[str, Log] = {}
    stores = [MemoryStore(logs=logs, denied=partial(tried_twice, one)) for one in backoffs]
    here, there = map(hub, stores)
    tap = Tap()
    stream = await start(here, tap)
    tap.send(ROLE)
    await asyncio.sleep(LEASE * 0.4)
    remote = await there.find(stream.meta.id, "me")
    is_denied = True
    await asyncio.sleep(LEASE * leases)
    is_denied = False
    await asyncio.sleep(LEASE * 3)
    ended = remote.tail.over or stream.tail.over
    for one in (here, there):
        await one.aclose()
    return ended


def test_dead_producer_is_found_within_a_lease_and_a_half() -> None:
    """And a look more, of a quarter of a lease. In virtual time."""
    took = run(_death) / LEASE
    assert 1.1 < took < 1.9


async def _death() -> float:
    is_dead = False

    async def never() -> None:
        if is_dead:
            await asyncio.Event().wait()

    store, tap = MemoryStore(trouble=never), Tap()
    here, there = hub(store), hub(MemoryStore(logs=store.logs))
    stream = await start(here, tap)
    tap.send(ROLE)
    await asyncio.sleep(LEASE)
    remote = await there.find(stream.meta.id, "me")
    is_dead, died = True, asyncio.get_running_loop().time()
    await remote.tail.unattached_reader().over()
    took = asyncio.get_running_loop().time() - died
    assert remote.tail.end is not None
    assert remote.tail.end.reason is EndReason.LOST
    is_dead = False
    for one in (here, there):
        await one.aclose()
    return took
