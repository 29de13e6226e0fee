"""The contract of ``stores.contract``, held against every store with the same words."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.fakes.source import Batches
from tokenwire.dialects.checks import MAX_NAME
from tokenwire.events import Error
from tokenwire.stores.contract import Batch, Follower, NameBinding, Store, new_token
from tokenwire.stores.exceptions import MAX_VIEWERS, Fenced, Missing, Rewound, Taken, TooManyViewers
from tokenwire.stores.records import End, EndReason, Meta, RecordId
from tokenwire.streams.stream import new_id

DONE = End(EndReason.DONE, block=b"data: [DONE]\n\n")
LOST = End(EndReason.LOST, Error("lost", "Gone.", retryable=True, status=502))
CANCELLED = End(EndReason.CANCELLED, Error("cancelled", "Stopped.", status=499))


def meta() -> Meta:
    """A stream's first record."""
    return Meta(new_id(), "me", "test", "chat", "m/ö", 1)


def blocks(count: int, size: int = 8) -> list[bytes]:
    """Blocks that are not text."""
    return [os.urandom(size) for _ in range(count)]


async def opened(store: Store, stream_id: str) -> Follower:
    """A reader's place."""
    found = await store.open(stream_id)
    assert found is not None
    return found


async def everything(store: Store, stream_id: str) -> list[Batch]:
    """All batches there are."""
    reader, found = await opened(store, stream_id), []
    while more := await reader.read(0):
        found += more
    return found


async def test_reader_gets_what_was_written(store: Store) -> None:
    """Every byte and every number, in order, the end with its error among them."""
    about = meta()
    writer = await store.create(about, new_token())
    one, two = Batch(1, 1, blocks(3)), Batch(1, 4, blocks(1))
    failed = End(EndReason.ERROR, Error("x", "y", retryable=True, status=429, retry_after=1.5))
    last = Batch(1, 5, blocks(1), failed)
    for batch in (one, two, last):
        await writer.append(batch)

    reader = await opened(store, about.id)
    assert reader.meta == about
    assert await everything(store, about.id) == [one, two, last]
    assert last.last == RecordId(1, 6)


async def test_meta_is_there_before_any_block(store: Store) -> None:
    """A stream without a token can be found, and read, and is empty."""
    about = meta()
    await store.create(about, new_token())
    reader = await opened(store, about.id)
    assert await reader.read(0) == []
    assert await store.open("st_unknown") is None


async def test_reading_waits_and_wakes(store: Store) -> None:
    """A read comes back with the next batch, or empty-handed after its time."""
    about = meta()
    writer = await store.create(about, new_token())
    reader = await opened(store, about.id)
    assert await reader.read(0.05) == []
    waiting = asyncio.create_task(reader.read(10))
    await asyncio.wait([waiting], timeout=0.05)
    assert not waiting.done()
    batch = Batch(1, 1, blocks(1))
    await writer.append(batch)
    assert await waiting == [batch]
    assert await reader.read(0.05) == []


async def test_one_producer(store: Store) -> None:
    """A log is made once, and adopted once."""
    about = meta()
    await store.create(about, new_token())
    for again in (
        store.create(about, new_token()),
        store.reserve(about),
        store.adopt(about.id, new_token()),
    ):
        with pytest.raises(Taken):
            await again


async def test_adopting(store: Store) -> None:
    """A reserved log has one producer, the first that comes; readers may be there before."""
    about = meta()
    await store.reserve(about)
    reader = await opened(store, about.id)
    before = await reader.producer_heartbeat()
    writers = await asyncio.gather(
        *(store.adopt(about.id, new_token()) for _ in range(5)), return_exceptions=True
    )
    (writer,) = [found for found in writers if not isinstance(found, BaseException)]
    assert all(isinstance(found, Taken) for found in writers if found is not writer)
    assert await reader.producer_heartbeat() != before
    batch = Batch(1, 1, blocks(1), DONE)
    await writer.append(batch)
    assert await reader.read(1) == [batch]


async def test_adopting_too_late(store: Store) -> None:
    """If its viewers have given up, a producer that comes late has nothing to do, and no mark."""
    about, late = meta(), new_token()
    await store.reserve(about)
    await store.close(about.id, LOST)
    with pytest.raises(Fenced) as caught:
        await store.adopt(about.id, late)
    assert (caught.value.at, caught.value.end) == (RecordId(2, 0), LOST)
    with pytest.raises(Taken):
        await store.create(about, late)
    with pytest.raises(Missing):
        await store.adopt("st_unknown", new_token())


async def test_append_may_be_repeated(store: Store) -> None:
    """An append whose answer was lost is sent again, and counts once."""
    about = meta()
    writer = await store.create(about, new_token())
    one, last = Batch(1, 1, blocks(2)), Batch(1, 3, [], DONE)
    for batch in (one, one, last, last):
        await writer.append(batch)
    assert await everything(store, about.id) == [one, last]


async def test_store_may_take_batches_itself(store: Store) -> None:
    """What it confirms is in the log; its producer appends the rest, as if nothing had been."""
    about = meta()
    writer = await store.create(about, new_token())
    one, two, three = Batch(1, 1, blocks(2)), Batch(1, 3, blocks(1)), Batch(1, 4, blocks(2))
    await writer.append(one)
    source = Batches([two, three])
    await writer.append_from(source)
    assert await everything(store, about.id) == [one, two, three][: 3 - len(source.left)]
    await writer.heartbeat()
    last = Batch(1, 6, [], DONE)
    for batch in (*source.left, last):
        await writer.append(batch)
    assert await everything(store, about.id) == [one, two, three, last]


async def test_store_takes_nothing_itself_after_the_end(store: Store) -> None:
    """Its producer gets the end, when it appends what was not confirmed."""
    about = meta()
    writer = await store.create(about, new_token())
    one, two = Batch(1, 1, blocks(2)), Batch(1, 3, blocks(1))
    await writer.append(one)
    await store.close(about.id, CANCELLED)
    source = Batches([two])
    await writer.append_from(source)
    assert list(source.left) == [two]
    with pytest.raises(Fenced) as caught:
        await writer.append(two)
    assert caught.value.at == RecordId(2, 0)
    assert await everything(store, about.id) == [one, Batch(2, 0, [], CANCELLED)]


MISPLACED = {
    "behind a hole": Batch(1, 4, [b"x"]),
    "an end behind a hole": Batch(1, 4, [], DONE),
    "over the last record": Batch(1, 2, [b"x", b"y"]),
    "an end over the last record": Batch(1, 2, [b"x"], DONE),
    "over all records": Batch(1, 1, [b"x", b"y", b"z"]),
    "of an earlier record": Batch(1, 1, [b"x"]),
    "of another epoch": Batch(2, 3, [b"x"]),
}


@pytest.mark.parametrize("batch", MISPLACED.values(), ids=MISPLACED)
async def test_batch_that_does_not_follow_is_refused(store: Store, batch: Batch) -> None:
    """Nothing of it is kept; its producer gets the place to continue from, and can continue."""
    about = meta()
    writer = await store.create(about, new_token())
    one, two = Batch(1, 1, blocks(2)), Batch(1, 3, blocks(1), DONE)
    await writer.append(one)
    for _ in range(2):
        with pytest.raises(Rewound) as caught:
            await writer.append(batch)
        assert caught.value.last == one.last
    await writer.heartbeat()
    await writer.append(two)
    assert await everything(store, about.id) == [one, two]


async def test_misplaced_batch_of_a_log_that_is_over(store: Store) -> None:
    """The end comes first: the producer gets the end, and no place to continue from."""
    about = meta()
    writer = await store.create(about, new_token())
    await writer.append(Batch(1, 1, blocks(2)))
    await store.close(about.id, CANCELLED)
    with pytest.raises(Fenced) as caught:
        await writer.append(MISPLACED["behind a hole"])
    assert caught.value.at == RecordId(2, 0)


async def test_log_may_begin_in_the_middle(store: Store) -> None:
    """A log that is written anew begins with the oldest record that its producer holds."""
    about = meta()
    writer = await store.create(about, new_token())
    late = Batch(1, 7, blocks(1))
    await writer.append(late)
    assert await everything(store, about.id) == [late]


async def test_end_is_final(store: Store) -> None:
    """Nothing comes after the producer's end; another process that ends the log gets that one."""
    about = meta()
    writer = await store.create(about, new_token())
    one, last = Batch(1, 1, blocks(1)), Batch(1, 2, [], DONE)
    await writer.append(one)
    await writer.append(last)
    assert await store.close(about.id, CANCELLED) == (RecordId(1, 2), DONE)
    for late in (writer.heartbeat(), writer.check(), writer.append(Batch(1, 3, blocks(1)))):
        with pytest.raises(Fenced) as caught:
            await late
        assert caught.value.end == DONE
    assert await everything(store, about.id) == [one, last]


async def test_producer_is_fenced(store: Store) -> None:
    """A producer whose log was ended by another cannot write; each request returns that end."""
    about = meta()
    writer = await store.create(about, new_token())
    one = Batch(1, 1, blocks(2))
    await writer.append(one)
    assert await store.close(about.id, CANCELLED) == (RecordId(2, 0), CANCELLED)
    for late in (writer.append(Batch(1, 3, blocks(1), DONE)), writer.heartbeat(), writer.check()):
        with pytest.raises(Fenced) as caught:
            await late
        assert (caught.value.at, caught.value.end) == (RecordId(2, 0), CANCELLED)
    assert await everything(store, about.id) == [one, Batch(2, 0, [], CANCELLED)]


async def test_one_end_wins(store: Store) -> None:
    """Many that end a log at once agree on one end."""
    about = meta()
    await store.create(about, new_token())
    ends = await asyncio.gather(*(store.close(about.id, end) for end in [LOST, CANCELLED] * 5))
    assert len({(at, end.reason) for at, end in ends}) == 1
    assert [batch.end for batch in await everything(store, about.id)] == [ends[0][1]]
    with pytest.raises(Missing):
        await store.close("st_unknown", LOST)


async def test_lost_only_where_nothing_has_come(store: Store) -> None:
    """A reader that takes a producer for dead is overruled by a batch that it has not read."""
    about = meta()
    writer = await store.create(about, new_token())
    reader = await opened(store, about.id)
    one = Batch(1, 1, blocks(1))
    await writer.append(one)
    await reader.end_as_lost(LOST)
    assert await reader.read(1) == [one]
    assert await reader.read(0) == []
    await reader.end_as_lost(LOST)
    await reader.end_as_lost(LOST)
    assert await reader.read(1) == [Batch(2, 0, [], LOST)]
    with pytest.raises(Fenced):
        await writer.heartbeat()


async def test_pulse_moves_while_the_producer_lives(store: Store) -> None:
    """With each beat; looking around is not a sign of life."""
    about = meta()
    writer = await store.create(about, new_token())
    reader = await opened(store, about.id)
    first = await reader.producer_heartbeat()
    await writer.check()
    assert await reader.producer_heartbeat() == first
    await writer.heartbeat()
    assert await reader.producer_heartbeat() != first


async def test_viewers_elsewhere_are_counted(store: Store) -> None:
    """The latest of their leases counts; one that leaves does not."""
    about = meta()
    writer = await store.create(about, new_token())
    assert await writer.check() == 0
    await store.renew(about.id, "v_one", 1000)
    await store.renew(about.id, "v_two", 2000)
    assert 1900 < await writer.check() < 2001
    await store.leave(about.id, "v_two")
    assert 900 < await writer.check() < 1001
    await store.leave(about.id, "v_one")
    await store.leave(about.id, "v_one")
    assert await writer.check() == 0


async def test_longest_names_fit(store: Store) -> None:
    """The longest name that a caller may give makes no record that a store would refuse."""
    first = meta()
    longest = replace(first, model="☃" * MAX_NAME)
    await store.create(longest, new_token())
    assert (await opened(store, first.id)).meta == longest


async def test_viewers_have_a_bound(store: Store) -> None:
    """So many names are taken; those that are known can go on, and one that leaves makes room."""
    about = meta()
    await store.create(about, new_token())
    for number in range(MAX_VIEWERS):
        await store.renew(about.id, f"v_{number}", 1000)
    with pytest.raises(TooManyViewers):
        await store.renew(about.id, "v_more", 1000)
    await store.renew(about.id, "v_0", 1000)
    await store.leave(about.id, "v_1")
    await store.renew(about.id, "v_more", 1000)
    with pytest.raises(TooManyViewers):
        await store.renew(about.id, "v_1", 1000)


async def test_ended_streams_take_no_viewers(store: Store) -> None:
    """Viewers of an ended stream have no effect, so the store does not keep them."""
    about = meta()
    writer = await store.create(about, new_token())
    await writer.append(Batch(1, 1, blocks(1, 10), DONE))
    for number in range(3):
        with pytest.raises(Fenced):
            await store.renew(about.id, f"v_{number}", 1000)
    with pytest.raises(Missing):
        await store.renew("st_none", "v", 1000)


@pytest.mark.parametrize(("count", "size"), [(3, 1_000_000), (2000, 500), (1, 400_000)])
async def test_large_batches(store: Store, count: int, size: int) -> None:
    """What does not fit into one item, or one page, comes out as it went in."""
    about = meta()
    writer = await store.create(about, new_token())
    one = Batch(1, 1, blocks(count, size), DONE)
    await writer.append(one)
    found = await everything(store, about.id)
    assert [block for batch in found for block in batch.blocks] == one.blocks
    assert found[0].first == 1
    assert (found[-1].end, found[-1].last) == (DONE, one.last)
    for before, after in pairwise(found):
        assert after.first == before.first + len(before.blocks)


async def test_names(store: Store) -> None:
    """A claimed name is another's until it is given up; a plain name is its last one's."""
    name = new_id()
    one, two, three = (NameBinding(new_id(), word) for word in ("a", "b", "c"))
    assert await store.lookup(name) is None
    assert await store.claim(name, one) is None
    assert await store.claim(name, one) is None
    assert await store.claim(name, two) == one
    assert await store.claim(name, two, instead_of=three) == one
    assert await store.claim(name, two, instead_of=one) is None
    assert await store.lookup(name) == two
    await store.name(name, three)
    assert await store.lookup(name) == three


async def test_one_claim_wins(store: Store) -> None:
    """Of many at once, all but one learn whose it is."""
    name = new_id()
    claims = await asyncio.gather(*(store.claim(name, NameBinding(f"st_{i}")) for i in range(8)))
    winners = [i for i, found in enumerate(claims) if found is None]
    assert len(winners) == 1
    assert {found for found in claims if found} == {NameBinding(f"st_{winners[0]}")}
