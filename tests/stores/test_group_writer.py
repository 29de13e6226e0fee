"""Batches of many streams in one command: which streams, how many, and what a failure spoils."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
import redis.asyncio

from tests.fakes.source import Batches
from tests.fakes.virtual import run
from tests.stores.servers import Server
from tokenwire.stores.contract import Batch, Writer, new_token
from tokenwire.stores.exceptions import Missing, Rewound, StoreError, Taken
from tokenwire.stores.records import Meta, RecordId
from tokenwire.stores.redis.group_writer import (
    MOST_BYTES,
    MOST_COMMANDS,
    MOST_STREAMS,
    GroupWriter,
    Member,
)
from tokenwire.stores.redis.scripts import APPEND_ALL
from tokenwire.stores.redis.server import Server as Connected
from tokenwire.stores.redis.server import keys
from tokenwire.stores.redis.store import RedisStore
from tokenwire.streams.stream import new_id


class Appends:
    """Answers commands as the test wants, and records for which streams they are.

    ``answers`` lets responses come; ``refused`` are the tokens of streams whose log is not as they
    expect; ``failure`` is raised by every command.
    """

    def __init__(self) -> None:
        self.commands: list[list[str]] = []
        self.under_way = self.most = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.refused: set[str] = set()
        self.failure: StoreError | None = None

    async def __call__(self, names: Sequence[str], args: Sequence[Any]) -> bytes:
        """As ``APPEND_ALL``."""
        tokens = list(args[2::5])
        assert len(names) == 2 * len(tokens)
        self.commands.append(tokens)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.answers.wait()
        self.under_way -= 1
        if self.failure is not None:
            raise self.failure
        return b"".join(b"0" if token in self.refused else b"1" for token in tokens)


@pytest.fixture
def appends() -> Appends:
    """Commands that succeed."""
    return Appends()


@pytest.fixture
async def group(appends: Appends) -> AsyncIterator[GroupWriter]:
    """A group that has no stream yet."""
    found = GroupWriter(appends)
    yield found
    await found.aclose()


def member(number: int, source: Batches) -> Member:
    """The stream of this number."""
    return Member((f"about {number}", f"log {number}"), str(number), "1-1", source)


def sources(count: int, size: int = 1, each: int = 1) -> list[Batches]:
    """Streams that have ``each`` batches of so many bytes to be taken."""
    block = b"x" * size
    return [Batches(Batch(1, 2 + n, [block]) for n in range(each)) for _ in range(count)]


def followed(group: GroupWriter, streams: Sequence[Batches]) -> list[asyncio.Task[None]]:
    """Let these be written by the group."""
    return [
        asyncio.create_task(group.append_from(member(number, source)))
        for number, source in enumerate(streams)
    ]


async def until(done: Callable[[], bool]) -> None:
    """Wait for this."""
    async with asyncio.timeout(10):
        while not done():
            await asyncio.sleep(0)


async def test_streams_of_one_moment_are_one_command(group: GroupWriter, appends: Appends) -> None:
    """In the order in which they were noted; each has one batch under way, and then its next."""
    streams = sources(3, each=2)
    await asyncio.gather(*followed(group, streams))
    assert appends.commands == [["0", "1", "2"]] * 2
    assert [len(source.left) for source in streams] == [0, 0, 0]


async def test_command_has_a_number_of_streams_at_most(
    group: GroupWriter, appends: Appends
) -> None:
    """One more begins a second command."""
    await asyncio.gather(*followed(group, sources(MOST_STREAMS)))
    assert [len(each) for each in appends.commands] == [MOST_STREAMS]
    appends.commands.clear()
    await asyncio.gather(*followed(group, sources(MOST_STREAMS + 1)))
    assert [len(each) for each in appends.commands] == [MOST_STREAMS, 1]


async def test_command_has_a_size_at_most(group: GroupWriter, appends: Appends) -> None:
    """One that has reached it takes no further stream."""
    await asyncio.gather(*followed(group, sources(3, MOST_BYTES // 2)))
    assert [len(each) for each in appends.commands] == [2, 1]


async def test_commands_under_way_are_bounded(group: GroupWriter, appends: Appends) -> None:
    """What is noted while all of them wait for the server is taken later, when it is sent."""
    appends.answers.clear()
    streams = sources(MOST_STREAMS * (MOST_COMMANDS + 2))
    tasks = followed(group, streams)
    await until(lambda: appends.under_way == MOST_COMMANDS)
    await asyncio.sleep(0.02)
    assert sum(source.taken for source in streams) == MOST_STREAMS * MOST_COMMANDS
    appends.answers.set()
    await asyncio.gather(*tasks)
    assert appends.most == MOST_COMMANDS
    assert [len(each) for each in appends.commands] == [MOST_STREAMS] * (MOST_COMMANDS + 2)


@pytest.mark.parametrize(
    ("seconds", "most"), [(0.001, 200), (0.008, 32), (0.5, 2)], ids=["quick", "busy", "stalled"]
)
def test_slow_server_gets_fewer_commands(seconds: float, most: int) -> None:
    """Each with more blocks: a round lasts four times as long as the last command took."""

    async def play() -> int:
        commands = 0

        async def append(_: Sequence[str], args: Sequence[Any]) -> bytes:
            nonlocal commands
            commands += 1
            await asyncio.sleep(seconds)
            return b"2" * (len(args) // 5)

        group = GroupWriter(append)
        (source,) = sources(1, each=10_000)
        tasks = followed(group, [source])
        await asyncio.sleep(1.0)
        await group.aclose()
        await asyncio.gather(*tasks)
        return commands

    assert most * 0.7 <= run(play) <= most


def test_stream_that_nobody_watches_elsewhere_is_written_less_often() -> None:
    """Twenty times a second; a viewer in another process is noticed with the next write."""

    async def play() -> list[int]:
        counts = [0, 0]
        watched = b"1"

        async def append(_: Sequence[str], args: Sequence[Any]) -> bytes:
            found = [watched if token == "0" else b"1" for token in args[2::5]]
            for token in args[2::5]:
                counts[int(token)] += 1
            return b"".join(found)

        group = GroupWriter(append)
        tasks = followed(group, sources(2, each=10_000))
        await asyncio.sleep(1.0)
        before = counts.copy()
        watched = b"2"
        await asyncio.sleep(1.0)
        await group.aclose()
        await asyncio.gather(*tasks)
        return before + [after - one for after, one in zip(counts, before, strict=True)]

    alone, other, seen, unseen = run(play)
    assert {alone, other} <= {20, 21}
    assert unseen <= 21
    assert seen > 150


def test_many_streams_are_taken_in_steps() -> None:
    """So that other tasks run between the commands of a round; each is taken once a round."""

    async def play() -> list[tuple[float, int]]:
        loop = asyncio.get_running_loop()
        commands: list[tuple[float, int]] = []

        async def append(_: Sequence[str], args: Sequence[Any]) -> bytes:
            commands.append((loop.time(), len(args) // 5))
            return b"1" * (len(args) // 5)

        group = GroupWriter(append)
        await asyncio.gather(*followed(group, sources(3 * MOST_STREAMS, each=2)))
        return commands

    found = run(play)
    assert [count for _, count in found] == [MOST_STREAMS] * 6
    assert len({at for at, _ in found}) == 6


async def test_refusal_concerns_one_stream(group: GroupWriter, appends: Appends) -> None:
    """It leaves the group with its batch; the others stay."""
    appends.refused.add("1")
    streams = sources(3, each=2)
    await asyncio.gather(*followed(group, streams))
    assert [len(source.left) for source in streams] == [0, 2, 0]
    assert appends.commands == [["0", "1", "2"], ["0", "2"]]
    assert group.is_open


@pytest.mark.parametrize("failure", [StoreError("away"), None], ids=["failure", "odd response"])
async def test_failure_affects_only_its_command(
    group: GroupWriter, appends: Appends, failure: StoreError | None
) -> None:
    """Its streams leave with their batches: whether these were written is not known."""
    appends.failure = failure
    streams = sources(2, each=2)
    if failure is None:
        appends.refused.update("01")
    await asyncio.gather(*followed(group, streams))
    assert [(len(one.left), one.taken, one.is_stopped) for one in streams] == [(2, 1, True)] * 2
    assert group.is_open == (failure is None)


async def test_stream_leaves_with_a_known_outcome(group: GroupWriter, appends: Appends) -> None:
    """One that stops meanwhile waits for the command that is under way."""
    appends.answers.clear()
    (source,) = sources(1, each=2)
    (task,) = followed(group, [source])
    await until(lambda: source.taken == 1)
    source.stop()
    await asyncio.sleep(0)
    assert not task.done()
    appends.answers.set()
    await task
    assert (len(source.left), source.taken) == (1, 1)


async def test_stream_that_has_left_is_not_written(group: GroupWriter, appends: Appends) -> None:
    """Though it was noted."""
    await asyncio.gather(*followed(group, sources(1)))
    gone, here = sources(2)
    tasks = followed(group, [gone, here])
    await asyncio.sleep(0)
    gone.stop()
    await asyncio.gather(*tasks)
    assert appends.commands == [["0"], ["1"]]


async def test_stream_that_enters_again_is_one_member(group: GroupWriter, appends: Appends) -> None:
    """What the member that it was before has noted is not taken for that one."""
    await asyncio.gather(*followed(group, sources(1)))
    appends.commands.clear()
    (source,) = sources(1, each=2)
    before, after = member(1, source), member(2, source)
    leaving = asyncio.create_task(group.append_from(before))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    await group.append_from(after)
    assert appends.commands == [["2"], ["2"]]


async def test_closing_leaves_no_stream_waiting(appends: Appends) -> None:
    """The outcome of what is under way is not known."""
    group = GroupWriter(appends)
    appends.answers.clear()
    streams = sources(3)
    tasks = followed(group, streams)
    await until(lambda: appends.under_way == 1)
    await group.aclose()
    await asyncio.wait_for(asyncio.gather(*tasks), 10)
    assert [source.is_stopped for source in streams] == [True] * 3


@pytest.fixture
async def store(server: Server) -> AsyncIterator[RedisStore]:
    """A store at this server."""
    found = RedisStore(server.url)
    yield found
    await found.aclose()


async def written(store: RedisStore) -> tuple[str, Writer]:
    """A log with one block: its stream's id, and its producer's access to it."""
    about = Meta(new_id(), "me", "test", "chat", "m", 1)
    writer = await store.create(about, new_token())
    await writer.append(Batch(1, 1, [b"a"]))
    return about.id, writer


async def test_streams_are_written_by_one_command(
    store: RedisStore, client: redis.asyncio.Redis
) -> None:
    """200 of them by four, three times over; each log has its own blocks."""
    logs = await asyncio.gather(*(written(store) for _ in range(200)))
    await client.config_resetstat()
    streams = [Batches(Batch(1, n, [b"%d %d" % (n, k)]) for n in (2, 3, 4)) for k in range(200)]
    await asyncio.gather(
        *(writer.append_from(source) for (_, writer), source in zip(logs, streams, strict=True))
    )
    assert [len(source.left) for source in streams] == [0] * 200
    found: Any = await client.info("all")
    assert found["cmdstat_evalsha"]["calls"] <= 3 * (200 // MOST_STREAMS + 2)
    for number, (stream_id, writer) in enumerate(logs):
        await writer.heartbeat()
        follower = await store.open(stream_id)
        assert follower is not None
        blocks = [batch.blocks for batch in await follower.read(0)]
        assert blocks == [[b"a"], *([b"%d %d" % (n, number)] for n in (2, 3, 4))]


async def test_response_has_whether_a_process_elsewhere_watches(
    store: RedisStore, server: Server
) -> None:
    """For as long as a viewer has a lease."""
    stream_id, writer = await written(store)
    at = Connected(server.url, 2.0)

    async def append(number: int) -> bytes:
        args = [f"1-{number}", f"1-{number - 1}", writer.token, b"", ""]
        found: bytes = await at.run(APPEND_ALL, keys(stream_id), args)
        return found

    assert await append(2) == b"1"
    await store.renew(stream_id, "v", 60.0)
    assert await append(3) == b"2"
    await store.leave(stream_id, "v")
    assert await append(4) == b"1"
    assert await append(6) == b"0"
    await at.aclose()


async def test_every_batch_renews_the_lease(store: RedisStore) -> None:
    """And drops what need not be kept."""
    stream_id, writer = await written(store)
    follower = await store.open(stream_id)
    assert follower is not None
    before = await follower.producer_heartbeat()
    await writer.append_from(Batches([Batch(1, 2, [b"b"]), Batch(1, 3, [b"c"])], floor=3))
    assert await follower.producer_heartbeat() > before
    assert [batch.first for batch in await follower.read(0)] == [3]


DAMAGES: dict[str, tuple[tuple[str, ...], type[StoreError]]] = {
    "everything": (("DEL", "about", "log"), Missing),
    "head": (("DEL", "about"), Missing),
    "batches": (("DEL", "log"), Rewound),
    "older": (("HSET", "about", "last", "0-0"), Rewound),
    "producer": (("HSET", "about", "producer", "other"), Taken),
    "other type": (("SET", "log", "x"), StoreError),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_log_that_is_not_as_expected_is_left_as_it_is(
    store: RedisStore, client: redis.asyncio.Redis, damage: str
) -> None:
    """Its producer gets the reason when it appends; the other stream of the command is written."""
    command, refusal = DAMAGES[damage]
    stream_id, writer = await written(store)
    other_id, other = await written(store)
    about, log = keys(stream_id)
    name = {"about": about, "log": log}
    execute: Any = client.execute_command
    await execute(*(name.get(word, word) for word in command))
    before = [await client.dump(key) for key in (about, log)]
    damaged, sound = Batches([Batch(1, 2, [b"b"])]), Batches([Batch(1, 2, [b"b"])])
    await asyncio.gather(writer.append_from(damaged), other.append_from(sound))
    assert (len(damaged.left), len(sound.left)) == (1, 0)
    assert [await client.dump(key) for key in (about, log)] == before
    with pytest.raises(refusal):
        await writer.append(damaged.left[0])
    assert await client.hget(keys(other_id)[0], "last") == b"1-2"


async def test_server_that_has_forgotten_the_script(
    store: RedisStore, client: redis.asyncio.Redis
) -> None:
    """It gets the text once more, in one command."""
    _, writer = await written(store)
    await client.script_flush()
    source = Batches([Batch(1, 2, [b"b"])])
    await writer.append_from(source)
    assert not source.left


async def test_repetition_of_a_batch_that_was_written(store: RedisStore) -> None:
    """Its response was lost: the stream leaves the group, and its append finds it written."""
    stream_id, writer = await written(store)
    two = Batch(1, 2, [b"b"])
    again = await store.adopt(stream_id, writer.token)
    await again.append(Batch(1, 1, [b"a"]))
    await writer.append_from(Batches([two]))
    late = Batches([two])
    await again.append_from(late)
    assert list(late.left) == [two]
    await again.append(two)
    with pytest.raises(Rewound) as caught:
        await again.append(Batch(1, 2, [b"x"] * 2))
    assert caught.value.last == RecordId(1, 2)
