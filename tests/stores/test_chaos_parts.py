"""A store that loses a part of a stream, one key at a time, or everything at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.fakes.upstream import ROLE, STOP, text
from tests.stores.scene import KINDS, LEASE, Scene, finish, scene, stream_of, until
from tests.stores.servers import Server
from tests.streams.test_keeping import Tap, read, start
from tokenwire.stores.contract import NameBinding
from tokenwire.stores.records import EndReason
from tokenwire.streams.policy import OnDisconnect

ServerOf = Callable[[str], Server]
Environment = Callable[[Server], None]
PARTS: dict[str, Callable[[Scene, str], None]] = {
    "head": lambda at, stream: at.damage.lose_head(stream),
    "batches": lambda at, stream: at.damage.lose_batches(stream),
    "everything": lambda at, _: at.damage.lose_everything(),
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", KINDS)
async def test_lost_part_of_a_running_stream_is_written_again(
    kind: str, part: str, server_of: ServerOf, its_environment: Environment
) -> None:
    """A viewer elsewhere does not notice, and a late one has every block once."""
    async with scene(kind, server_of, its_environment) as at:
        stream, tap = await at.begin("a", "b")
        remote = await at.there.find(stream.meta.id, "me")
        viewer = asyncio.create_task(read(at.there, remote))
        await until(lambda: remote.tail.next == stream.tail.next)
        PARTS[part](at, stream.meta.id)
        await asyncio.wait([viewer], timeout=0.2)
        assert not viewer.done()
        tap.send(text("c"))
        await at.kept(stream, 4)
        await finish(tap, stream)
        await at.here.settled(stream)
        assert await viewer == stream_of("a", "b", "c")
        assert remote.tail.end == stream.tail.end
        assert await at.late(stream) == (stream_of("a", "b", "c"), "done")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", KINDS)
async def test_lost_part_of_a_stream_that_is_over_is_written_again(
    kind: str, part: str, server_of: ServerOf, its_environment: Environment
) -> None:
    """As long as its process holds the stream, a late viewer has all of it."""
    async with scene(kind, server_of, its_environment) as at:
        stream, tap = await at.begin("a")
        await finish(tap, stream)
        await at.here.settled(stream)
        PARTS[part](at, stream.meta.id)
        await at.kept(stream, 4)
        assert await at.late(stream) == (stream_of("a"), "done")


@pytest.mark.timed
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", KINDS)
async def test_lost_part_of_a_dead_producer_s_stream_ends_it(
    kind: str, part: str, server_of: ServerOf, its_environment: Environment
) -> None:
    """It is not written again: its viewers get an error within a few leases, and none hangs."""
    async with scene(kind, server_of, its_environment) as at:
        stream, _ = await at.begin("a")
        remote = await at.there.find(stream.meta.id, "me")
        stream.copy.stop()  # as if killed
        PARTS[part](at, stream.meta.id)
        took = await until(lambda: remote.tail.over)
        error = remote.tail.broken or (remote.tail.end and remote.tail.end.error)
        assert error
        assert (error.code, error.retryable) == ("lost", True)
        assert took < 4 * LEASE


@pytest.mark.parametrize("kind", ["redis", "valkey"])
async def test_end_whose_entries_are_gone_still_counts(
    kind: str, server_of: ServerOf, its_environment: Environment
) -> None:
    """Cancelled, then the entries evicted: the producer and a viewer receive the end."""
    async with scene(kind, server_of, its_environment) as at:
        stream, _ = await at.begin("a")
        remote = await at.there.find(stream.meta.id, "me")
        end = await at.there.cancel(remote)
        at.damage.lose_batches(stream.meta.id)
        await until(lambda: stream.tail.end is not None)
        assert stream.tail.end == end
        reader = await at.other.open(stream.meta.id)
        assert reader is not None
        assert end is not None
        await reader.end_as_lost(end)
        assert [batch.end for batch in await reader.read(0)] == [end]


@pytest.mark.timed
@pytest.mark.parametrize("kind", KINDS)
async def test_flush_between_two_steps_ends_no_viewer(
    kind: str, server_of: ServerOf, its_environment: Environment
) -> None:
    """The instant before the log is written anew is no end: neither ``expired`` nor another."""
    async with scene(kind, server_of, its_environment) as at:
        stream, tap = await at.begin("a")
        remote = await at.there.find(stream.meta.id, "me")
        for _ in range(3):
            at.damage.lose_everything()
            await asyncio.sleep(LEASE * 0.7)
            assert not remote.tail.over
        await finish(tap, stream)
        await until(lambda: remote.tail.over)
        assert remote.tail.end is not None
        assert remote.tail.end.reason is EndReason.DONE
        assert await read(at.there, remote) == [ROLE, text("a"), STOP]


@pytest.mark.parametrize("kind", KINDS)
async def test_names_of_held_streams_outlive_a_flush(
    kind: str, server_of: ServerOf, its_environment: Environment
) -> None:
    """A repeated Idempotency-Key finds its stream, here at once and elsewhere a moment later."""
    async with scene(kind, server_of, its_environment) as at:
        stream, _ = await at.begin("a")
        await at.here.names.bind("k", stream)
        binding = NameBinding(stream.meta.id)
        at.damage.lose_everything()
        assert await at.here.names.lookup("k", "me") == binding
        async with asyncio.timeout(5):
            while await at.there.names.lookup("k", "me") != binding:
                await asyncio.sleep(0.05)


@pytest.mark.timed
@pytest.mark.parametrize("kind", KINDS)
async def test_wrong_clock_cancels_no_watched_stream(
    kind: str, server_of: ServerOf, its_environment: Environment
) -> None:
    """A viewer elsewhere says for how long it watches, and not until when: no clock is compared."""
    async with scene(kind, server_of, its_environment) as at:
        stream = await start(at.here, Tap(), OnDisconnect(0.3))
        with at.here.watch(stream, 1):
            await at.kept(stream, 0)
            await at.other.renew(stream.meta.id, "v_elsewhere", 2.5)
        took = await until(lambda: stream.tail.end is not None)
        assert took > 2
        assert stream.tail.end is not None
        assert stream.tail.end.reason is EndReason.CANCELLED
