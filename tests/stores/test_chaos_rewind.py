"""A store that goes back in time, or loses a part of a log: its producer writes it again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.fakes.upstream import ROLE, text
from tests.stores.scene import KINDS, LEASE, finish, scene, stream_of, until
from tests.stores.servers import Server
from tests.streams.test_keeping import over, read
from tokenwire.stores.records import EndReason, RecordId

pytestmark = pytest.mark.parametrize("kind", KINDS)
ServerOf = Callable[[str], Server]
Environment = Callable[[Server], None]


async def test_older_snapshot_leaves_no_hole_while_the_stream_runs(
    kind: str, server_of: ServerOf, its_environment: Environment
) -> None:
    """What a lagging replica lacked is written again: a late viewer has every block, once."""
    async with scene(kind, server_of, its_environment) as at:
        stream, tap = await at.begin("a", "b")
        remote = await at.there.find(stream.meta.id, "me")
        viewer = asyncio.create_task(read(at.there, remote))
        older = at.damage.copied(stream.meta.id)
        for word in ("c", "d"):
            tap.send(text(word))
        await at.kept(stream, 5)
        at.damage.put_back(stream.meta.id, older)
        tap.send(text("e"))
        await finish(tap, stream)
        await at.here.settled(stream)
        assert await viewer == stream_of("a", "b", "c", "d", "e")
        assert await at.late(stream) == (stream_of("a", "b", "c", "d", "e"), "done")
        assert stream.copy.complete


async def test_silent_stream_is_written_again_too(
    kind: str, server_of: ServerOf, its_environment: Environment
) -> None:
    """The model thinks; the producer compares anyway, each third of a lease at the least."""
    async with scene(kind, server_of, its_environment) as at:
        stream, tap = await at.begin("a")
        older = at.damage.copied(stream.meta.id)
        tap.send(text("b"))
        await at.kept(stream, 3)
        at.damage.put_back(stream.meta.id, older)
        assert await at.stored(stream) == 2
        await at.kept(stream, 3)


async def test_acknowledged_end_that_was_lost_is_written_again(
    kind: str, server_of: ServerOf, its_environment: Environment
) -> None:
    """A failover right after the end: while the process holds the stream, the store gets it."""
    async with scene(kind, server_of, its_environment) as at:
        stream, tap = await at.begin("a")
        older = at.damage.copied(stream.meta.id)
        tap.send(text("b"))
        await finish(tap, stream)
        await at.here.settled(stream)
        at.damage.put_back(stream.meta.id, older)
        await at.kept(stream, 5)
        assert await at.late(stream) == (stream_of("a", "b"), "done")


@pytest.mark.timed
async def test_viewer_ahead_of_the_store_does_not_hang(
    kind: str, server_of: ServerOf, its_environment: Environment
) -> None:
    """The store went back behind what a viewer had read, and the producer died: it is lost."""
    async with scene(kind, server_of, its_environment) as at:
        stream, tap = await at.begin("a")
        older = at.damage.copied(stream.meta.id)
        remote = await at.there.find(stream.meta.id, "me")
        tap.send(text("b"), text("c"))
        await until(lambda: remote.tail.next == 5)
        stream.copy.stop()  # as if killed
        at.damage.put_back(stream.meta.id, older)
        took = await until(lambda: remote.tail.end is not None)
        assert remote.tail.end is not None
        assert (remote.tail.end.reason, remote.tail.last) == (EndReason.LOST, RecordId(2, 0))
        assert took < LEASE * 4
        assert await at.late(stream) == ([ROLE, text("a")], "lost")


async def test_end_elsewhere_of_a_store_that_went_back_reaches_all(
    kind: str, server_of: ServerOf, its_environment: Environment
) -> None:
    """Cancelled after it went back: the producer, a viewer ahead of it and a late one agree."""
    async with scene(kind, server_of, its_environment) as at:
        stream, tap = await at.begin("a")
        older = at.damage.copied(stream.meta.id)
        remote = await at.there.find(stream.meta.id, "me")
        tap.send(text("b"), text("c"))
        await until(lambda: remote.tail.next == 5)
        at.damage.put_back(stream.meta.id, older)
        end = await at.there.cancel(remote)
        assert end is not None
        assert end.reason is EndReason.CANCELLED
        assert await over(stream) == end
        await until(lambda: remote.tail.end is not None)
        assert remote.tail.end == end
        assert (await at.late(stream))[1] == "cancelled"
