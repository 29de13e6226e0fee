"""The viewer: from records to the bytes of one response."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.upstream import DONE, ROLE, STOP, text, usage
from tests.fakes.views import view
from tokenwire.dialects import chat, events
from tokenwire.events import Error
from tokenwire.sse import PING
from tokenwire.stores.records import End, EndReason, Meta, RecordId
from tokenwire.streams.blocks import Bounds
from tokenwire.streams.rendering import Ids, Rendering, Translated, Verbatim
from tokenwire.streams.tail import Tail
from tokenwire.streams.viewer import Delivery

META = Meta("st_x", "me", "test", "chat", "m", 1)
LOST = Error("lost", "gone", retryable=True)


def translated(muted: int = -1) -> Translated:
    """From chat to typed events."""
    return Translated(chat.DIALECT.decoder(), events.DIALECT.encoder(), Ids("st_x."), muted)


async def writes_of(tail: Tail, rendering: Rendering, heartbeat: float = 60) -> list[bytes]:
    """Every write of a viewer."""
    with tail.attach(1) as reader:
        return [out async for out in view(reader, rendering, heartbeat, Delivery())]


async def test_late_viewer_gets_one_write() -> None:
    """What has come by the time a viewer looks is sent in one write, the end too."""
    tail = Tail(Bounds())
    tail.append([ROLE, text("a"), STOP])
    tail.finish(End(EndReason.DONE, block=b"data:[DONE]\n\n"))

    assert await writes_of(tail, Verbatim(chat.DIALECT.encoder())) == [
        b"id: 1-1\n"
        + ROLE
        + b"id: 1-2\n"
        + text("a")
        + b"id: 1-3\n"
        + STOP
        # The end.
        + b"id: 1-4\ndata:[DONE]\n\n"
    ]


async def test_silence_is_filled_with_pings() -> None:
    """A heartbeat for each period of nothing, and no blank line with it."""
    tail = Tail(Bounds())
    with tail.attach(1) as reader:
        delivery = Delivery()
        writes = view(reader, Verbatim(chat.DIALECT.encoder()), 0.001, delivery)
        assert [await anext(writes) for _ in range(3)] == [PING] * 3
        tail.append([ROLE])
        assert await anext(writes) == b"id: 1-1\n" + ROLE

    assert (delivery.heartbeats, delivery.blocks, delivery.complete) == (3, 1, False)


async def test_stopped_viewer_says_no_more() -> None:
    """A viewer whose client has gone ends without a terminator."""
    tail = Tail(Bounds())
    tail.append([ROLE])
    with tail.attach(1) as reader:
        delivery = Delivery()
        writes = view(reader, Verbatim(chat.DIALECT.encoder()), 60, delivery)
        await anext(writes)
        reader.stop()
        assert [out async for out in writes] == []
    assert not delivery.complete


def test_end_in_each_dialect() -> None:
    """A whole stream ends with the terminator, any other with an error; each has the end's id."""
    at = RecordId(1, 9)
    verbatim = Verbatim(chat.DIALECT.encoder())
    assert verbatim.close(at, End(EndReason.DONE)) == b"id: 1-9\n" + DONE
    assert b'"code":"lost"' in verbatim.close(at, End(EndReason.LOST, LOST))
    assert translated().close(at, End(EndReason.DONE)) == b"id: st_x.1-9\n" + DONE
    assert (
        translated()
        .close(at, End(EndReason.LOST, LOST))
        .startswith(b'id: st_x.1-9\ndata: {"type":"error","code":"lost"')
    )


def test_meta_is_said_where_it_can_be() -> None:
    """Typed events begin with the meta record; chunks have no word for it."""
    assert Verbatim(chat.DIALECT.encoder()).open(META) == b""
    assert translated().open(META) == (
        b'id: st_x.1-0\ndata: {"type":"start","id":"st_x","model":"m","created":1}\n\n'
    )
    assert translated(muted=0).open(META) == b""


def test_records_without_words_have_no_id() -> None:
    """A record that says nothing in the client's dialect leaves no trace, not even an id."""
    rendering = translated()
    rendering.open(META)

    assert rendering.blocks(1, 1, [ROLE]) == b""


def test_each_of_several_blocks_has_an_id() -> None:
    """A client that has the id without a part has all of the record."""
    both = text("a").replace(b'"finish_reason":null', b'"finish_reason":"stop"')
    rendering = translated()
    rendering.open(META)

    assert rendering.blocks(1, 1, [both]) == (
        b'id: st_x.1-1.1\ndata: {"type":"content","delta":"a"}\n\n'
        b'id: st_x.1-1\ndata: {"type":"finish","reason":"stop"}\n\n'
    )


def test_muted_records_are_read_in_silence() -> None:
    """On resume the decoder sees the past, and the client does not."""
    rendering = translated(muted=2)
    rendering.open(META)

    assert rendering.blocks(1, 1, [ROLE, text("a"), text("b")]) == (
        b'id: st_x.1-3\ndata: {"type":"content","delta":"b"}\n\n'
    )


async def test_unreadable_record_is_reported() -> None:
    """A text block that is not JSON ends a translated view with an error, not in silence."""
    tail = Tail(Bounds())
    tail.append([text("a"), b"data: {\n\n", text("b")])
    tail.finish(End(EndReason.DONE))

    (write,) = await writes_of(tail, translated())

    assert b'"delta":"a"' in write
    assert write.endswith(b'"retryable":false}\n\n')
    assert b'"code":"upstream_malformed"' in write
    assert b'"delta":"b"' not in write


def test_surplus_blocks_are_left_out() -> None:
    """Blocks a client did not ask for are skipped; the ids of others stay what they are."""
    rendering = Verbatim(chat.DIALECT.encoder(), surplus=lambda block: block == STOP)

    assert rendering.blocks(1, 1, [ROLE, STOP, ROLE]) == (b"id: 1-1\n" + ROLE + b"id: 1-3\n" + ROLE)


@pytest.mark.parametrize("prefix", ["", "st_%d."])
@pytest.mark.parametrize("first", [1, 98])
def test_many_blocks_have_the_ids_that_each_would_have(prefix: str, first: int) -> None:
    """Written together, and without the surplus: as one by one."""

    def rendering() -> Verbatim:
        ids = Ids(prefix)
        return Verbatim(chat.DIALECT.encoder(), ids, chat.only_usage, chat.only_usage)

    for blocks in ([text("a")] * 9, [text("a"), usage(), text("b")] * 3):
        apart = [rendering().block(2, number, one) for number, one in enumerate(blocks, first)]
        assert rendering().blocks(2, first, blocks) == b"".join(apart)
        assert (b"" in apart) == (usage() in blocks)


@pytest.mark.parametrize("muted", [-1, 10**9], ids=["reported", "muted"])
async def test_long_replay_lets_others_run(muted: int) -> None:
    """Between two reads of a long replay other tasks get a turn, even if nothing is written."""
    tail = Tail(Bounds())
    tail.append([text("x" * 32 * 1024) for _ in range(40)])
    tail.finish(End(EndReason.DONE))
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    writes = await writes_of(tail, translated(muted))
    task.cancel()

    assert turns >= 19
    assert len(writes) == (20 if muted < 0 else 1)
