"""What ends a response and not its stream: no id, no number, nothing lost on resuming."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial

import pytest

from tests.fakes.memory_store import MemoryStore
from tests.fakes.upstream import DONE, ROLE, STOP, text
from tests.fakes.views import view
from tests.fakes.virtual import run
from tests.streams.test_keeping import LEASE, Tap, Trouble, broken, hub, start
from tokenwire.dialects import DIALECTS
from tokenwire.dialects.protocol import Output
from tokenwire.dialects.responses.encode import ResponsesEncoder
from tokenwire.errors import ClientError, TokenwireError
from tokenwire.events import Error
from tokenwire.gateway.join import join
from tokenwire.sse import Parser
from tokenwire.stores.exceptions import Missing, StoreError
from tokenwire.stores.records import Cursor, RecordId
from tokenwire.streams.blocks import Bounds
from tokenwire.streams.ending import CONNECTION_EXPIRED
from tokenwire.streams.hub import Hub
from tokenwire.streams.limits import Limits
from tokenwire.streams.stream import Stream, first_after
from tokenwire.streams.viewer import Delivery

AWAY = Error("store_unavailable", "The store is away.", retryable=True, status=503)


class Client:
    """A client of one dialect that comes back with the last id it was given."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.last: str | None = None
        self.received: list[tuple[str, str]] = []

    async def watch(self, at: Hub, stream: Stream) -> None:
        """Read on from the last id, to the end of the response."""
        cursor = Cursor.parse(self.last) if self.last else None
        reading = join(DIALECTS, stream, DIALECTS[self.dialect], cursor)
        parser = Parser()
        parser.last_event_id = self.last or ""
        with at.watch(stream, reading.first) as reader:
            body = reading.rendering.open(stream.meta)
            async for part in view(reader, reading.rendering, 60, Delivery()):
                body += part
        events = parser.feed(body)
        self.received += [(event.last_event_id, event.data) for event in events]
        self.last = parser.last_event_id

    @property
    def text(self) -> str:
        """The words of the model that this client has received."""
        return "".join(
            word for word in ("a", "b", "c") for _, data in self.received if f'"{word}"' in data
        )


@pytest.mark.parametrize("dialect", ["chat", "events", "ui", "messages"])
async def test_return_after_store_unavailable_loses_nothing(dialect: str) -> None:
    """The error of a broken feed has no id: the client comes back to the record that is next."""
    trouble, tap = Trouble(), Tap()
    logs = MemoryStore()
    here, there = hub(logs), hub(MemoryStore(trouble, logs=logs.logs))
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    client = Client(dialect)
    remote = await there.find(stream.meta.id, "me")
    watching = asyncio.create_task(client.watch(there, remote))
    async with asyncio.timeout(5):
        await remote.tail.reach(2, 5)
    trouble.on = True
    await watching
    assert "scripted" in client.received[-1][1]
    tap.send(text("b"), text("c"), STOP, DONE)
    await here.settled(stream)
    trouble.on = False
    await client.watch(there, await there.find(stream.meta.id, "me"))

    assert client.text == "abc"
    await here.aclose()
    await there.aclose()


def surprise() -> Exception:
    """A fault of ours."""
    return RuntimeError("a private text")


@pytest.mark.parametrize(
    ("failure", "code"),
    [(Missing, "lost"), (surprise, "internal_error")],
    ids=["lost", "internal_error"],
)
async def test_no_failure_of_a_feed_has_an_id(failure: Callable[[], Exception], code: str) -> None:
    """Whatever stops the feed, the last id that a client has is that of a record it has."""
    raised: list[Exception] = []

    async def trouble() -> None:
        await asyncio.sleep(0)
        if raised:
            raise raised[0]

    tap, logs = Tap(), MemoryStore()
    here, there = hub(logs), hub(MemoryStore(trouble, logs=logs.logs))
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    client = Client("chat")
    remote = await there.find(stream.meta.id, "me")
    watching = asyncio.create_task(client.watch(there, remote))
    await remote.tail.reach(2, 5)
    raised.append(failure())
    await watching

    assert json.loads(client.received[-1][1])["error"]["code"] == code
    assert client.last == "1-2"
    await here.aclose()
    await there.aclose()


async def test_feed_without_room_has_no_id_either() -> None:
    """A process that has no room for more of a stream says so, and loses nothing of it."""
    tap, store = Tap(), MemoryStore()
    here = hub(store)
    there = hub(store, Limits(Bounds(4000, 4000), bytes=20_000))
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    client = Client("chat")
    remote = await there.find(stream.meta.id, "me")
    with there.watch(remote, 1) as stalled:
        tap.send(text("x" * 30_000))
        assert (await broken(remote)).code == "overloaded"
        assert stalled.interruption is None
        await client.watch(there, remote)

    assert json.loads(client.received[-1][1])["error"]["code"] == "overloaded"
    assert client.last == str(remote.tail.last)
    await here.aclose()
    await there.aclose()


@pytest.mark.parametrize(
    "why", [CONNECTION_EXPIRED, AWAY], ids=["connection_expired", "store_unavailable"]
)
async def test_interruption_uses_up_no_sequence_number(why: Error) -> None:
    """A Responses client that resumes by the number it last read gets every delta once."""
    store, tap = MemoryStore(), Tap()
    here, there = hub(store), hub(store)
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    remote = await there.find(stream.meta.id, "me")
    deltas: list[str] = []
    numbers = [-1]

    async def read() -> list[dict[str, object]]:
        output = Output(partial(ResponsesEncoder, numbers[-1]))
        reading = join(DIALECTS, remote, DIALECTS["responses"], output=output)
        with there.watch(remote, reading.first) as reader:
            body = reading.rendering.open(remote.meta)
            async for part in view(reader, reading.rendering, 60, Delivery()):
                body += part
                if b"delta" in part and not tap.closed.is_set():
                    reader.stop(why)
        found = [event.data for event in Parser().feed(body)]
        events = [json.loads(data) for data in found if data != "[DONE]"]
        deltas.extend(e["delta"] for e in events if e["type"] == "response.output_text.delta")
        numbers.extend(e["sequence_number"] for e in events if "sequence_number" in e)
        return events

    first = await read()
    assert (first[-1]["type"], first[-1]["code"]) == ("error", why.code)
    assert "sequence_number" not in first[-1]
    tap.send(text("b"), text("c"), STOP, DONE)
    await asyncio.wait_for(tap.closed.wait(), 5)
    last = await read()

    assert deltas == ["a", "b", "c"]
    assert numbers == list(range(-1, len(numbers) - 1))
    assert last[-1]["type"] == "response.completed"
    await here.aclose()
    await there.aclose()


async def test_cursor_ahead_of_a_running_stream_is_refused() -> None:
    """At once here; in another process once the stream has had time to arrive there."""
    store, tap = MemoryStore(), Tap()
    here, there = hub(store, Limits(Bounds(2000, 8000))), hub(store, Limits(Bounds(2000, 8000)))
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    remote = await there.find(stream.meta.id, "me")
    far = Cursor(RecordId(1, 999_999))
    for at, found in ((here, stream), (there, remote)):
        await at.reach(found, far)
        with pytest.raises(ClientError) as caught:
            first_after(found, far)
        assert (caught.value.status, caught.value.code) == (400, "invalid_cursor")
    for number in range(40):
        tap.send(text(str(number) * 100))
    tap.send(STOP, DONE)
    client = Client("chat")
    await asyncio.wait_for(client.watch(there, remote), 5)

    assert client.received[-1][1] == "[DONE]"
    await here.aclose()
    await there.aclose()


async def test_cursor_that_the_store_has_not_reached_yet() -> None:
    """A caller that was ahead of the store comes back elsewhere, and waits for a moment."""
    store, tap = MemoryStore(), Tap()
    here, there = hub(store), hub(store)
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    remote = await there.find(stream.meta.id, "me")
    await remote.tail.reach(2, 5)
    cursor = Cursor(RecordId(1, 3))
    coming = asyncio.create_task(there.reach(remote, cursor))
    await asyncio.sleep(0.02)
    tap.send(text("b"))
    await coming

    assert first_after(remote, cursor) == 4
    await here.aclose()
    await there.aclose()


async def test_broken_feed_gives_its_bytes_back() -> None:
    """Also where a viewer was blocked in a send: five outages do not fill the process."""
    trouble, tap = Trouble(), Tap()
    logs = MemoryStore()
    here = hub(logs)
    there = hub(MemoryStore(trouble, logs=logs.logs), Limits(bytes=100_000))
    stream = await start(here, tap)
    tap.send(ROLE, *(text("x" * 1000) for _ in range(20)))
    await stream.tail.reach(21, 5)
    for _ in range(5):
        remote = await there.find(stream.meta.id, "me")
        with there.watch(remote, 1) as blocked:
            blocked.take(1)
            trouble.on = True
            await broken(remote)
            await asyncio.sleep(0)
            trouble.on = False
            assert remote.tail.blocks.size > 20_000
        assert remote.tail.blocks.size == 0
    there.admit()
    await here.aclose()
    await there.aclose()


async def test_viewer_between_finding_and_attaching_gets_the_failure() -> None:
    """What was found has failed and is gone: the error is the store's, not that of a lost past."""
    trouble, tap = Trouble(), Tap()
    logs = MemoryStore()
    here, there = hub(logs), hub(MemoryStore(trouble, logs=logs.logs))
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    remote = await there.find(stream.meta.id, "me")
    await remote.tail.reach(2, 5)
    trouble.on = True
    await broken(remote)
    await asyncio.sleep(0.05)
    with pytest.raises(TokenwireError) as caught, there.watch(remote, 1):
        pass
    assert (caught.value.status, caught.value.code) == (503, "store_unavailable")
    await here.aclose()
    await there.aclose()


@pytest.mark.parametrize(("failure", "status"), [(StoreError("scripted"), 503), (Missing(), 404)])
async def test_log_that_cannot_be_caught_up_with(failure: StoreError, status: int) -> None:
    """A store that fails while a stream is first read is a 503; only what is gone is a 404."""
    reads = 0

    async def trouble() -> None:
        nonlocal reads
        reads += 1
        if reads > 1:
            raise failure

    tap, logs = Tap(), MemoryStore()
    here, there = hub(logs), hub(MemoryStore(trouble, logs=logs.logs))
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    await asyncio.sleep(0.02)
    with pytest.raises(TokenwireError) as caught:
        await asyncio.wait_for(there.find(stream.meta.id, "me"), LEASE * 5)
    assert caught.value.status == status
    await here.aclose()
    await there.aclose()


async def test_reader_that_consumes_nothing_does_not_stop_a_feed() -> None:
    """One viewer blocked in a send is sent away after a time; the other has all of the stream."""
    store, tap = MemoryStore(), Tap()
    here, there = hub(store), hub(store, Limits(Bounds(2000, 8000)))
    stream = await start(here, tap)
    tap.send(ROLE, text("a"))
    remote = await there.find(stream.meta.id, "me")
    client = Client("chat")
    with there.watch(remote, 1) as blocked:
        watching = asyncio.create_task(client.watch(there, remote))
        for number in range(40):
            tap.send(text(str(number) * 100))
            await asyncio.sleep(0)
        tap.send(STOP, DONE)
        await asyncio.wait_for(watching, 10)
        assert blocked.interruption is not None
        assert blocked.interruption.code == "connection_expired"

    assert client.received[-1][1] == "[DONE]"
    await here.aclose()
    await there.aclose()


async def _read_while_it_grows() -> tuple[int, int, int]:
    """Find a stream that has a new block whenever one is read; then come back far on."""

    async def slow() -> None:
        await asyncio.sleep(0.01)

    store, tap = MemoryStore(), Tap()
    here, there = hub(store), hub(MemoryStore(slow, logs=store.logs))
    stream = await start(here, tap)

    async def speak() -> None:
        tap.send(ROLE)
        for number in range(10_000):
            tap.send(text(str(number)))
            await asyncio.sleep(0.003)

    speaking = asyncio.create_task(speak())
    remote = await there.find(stream.meta.id, "me")
    found, written = remote.tail.next, stream.tail.next
    cursor = Cursor(RecordId(1, written + 1000))
    await there.reach(remote, cursor)
    speaking.cancel()
    return found, written, first_after(remote, cursor)


def test_stream_that_never_pauses_is_found() -> None:
    """Who joins it does not wait for its end; who was further on waits while it comes nearer."""
    found, written, first = run(_read_while_it_grows)
    assert 500 < found <= written < 2_000
    assert first == written + 1001
