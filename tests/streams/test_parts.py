"""Records that become several blocks: a client that is cut between two of them resumes there."""

from __future__ import annotations

import json
from functools import partial

import pytest

from tests.fakes.upstream import DONE, ROLE, text
from tests.fakes.views import UncountedViewers, view
from tokenwire.dialects import DIALECTS
from tokenwire.dialects.protocol import Output
from tokenwire.dialects.responses.encode import ResponsesEncoder
from tokenwire.errors import ClientError
from tokenwire.events import Error
from tokenwire.gateway.join import join
from tokenwire.sse import Parser, ServerSentEvent, event_block
from tokenwire.stores.records import Cursor, End, EndReason, Meta, RecordId
from tokenwire.streams.blocks import Bounds
from tokenwire.streams.stream import Stream, first_after
from tokenwire.streams.tail import Tail
from tokenwire.streams.viewer import Delivery


def chunk(finish: str | None = None, **delta: object) -> bytes:
    """One chat chunk with all of this in it."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: %b\n\n" % json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode()


def call(index: int) -> dict[str, object]:
    """A tool call, whole."""
    function = {"name": "f", "arguments": "{}"}
    return {"index": index, "id": f"call_{index}", "type": "function", "function": function}


CHAT = [
    ROLE,
    chunk(reasoning_content="hm", content="a"),
    text("b"),
    chunk(content="c", tool_calls=[call(0), call(1)]),
    chunk("tool_calls", content="d"),
]
MESSAGES = [
    event_block("message_start", b'{"type":"message_start","message":{"id":"msg_1","model":"m"}}'),
    event_block(
        "content_block_start",
        b'{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a"}}',
    ),
    event_block(
        "content_block_delta",
        b'{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"b"}}',
    ),
    event_block("content_block_stop", b'{"type":"content_block_stop","index":0}'),
    event_block(
        "message_delta",
        b'{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}',
    ),
]
LOGS = {"chat": CHAT, "messages": MESSAGES}
LOST = End(EndReason.LOST, Error("lost", "gone", retryable=True))
ENDS = {
    "whole": (End(EndReason.DONE, block=DONE), None),
    "unsaid": (End(EndReason.DONE), None),
    "error": (End(EndReason.ERROR, Error("upstream_error", "no")), None),
    "lost": (LOST, RecordId(2, 0)),
}


def stream_of(dialect: str, end: str = "unsaid") -> Stream:
    """A stream that is over."""
    tail = Tail(Bounds())
    tail.append(LOGS[dialect])
    tail.finish(*ENDS[end])
    return Stream(Meta("st_x", "me", "test", dialect, "m", 1), tail, tail, UncountedViewers())


async def events_of(
    stream: Stream, dialect: str, cursor: Cursor | None = None, after: int | None = None
) -> list[ServerSentEvent]:
    """What a client gets from this place on."""
    output = None if after is None else Output(partial(ResponsesEncoder, after))
    found = DIALECTS[dialect]
    reading = join(DIALECTS, stream, found, cursor, id_prefix="st_x.", output=output)
    with stream.tail.attach(reading.first) as reader:
        body = reading.rendering.open(stream.meta)
        async for part in view(reader, reading.rendering, 60, Delivery()):
            body += part
    return Parser().feed(body)


CASES = [(kind, dialect, end) for kind in LOGS for dialect in DIALECTS for end in ENDS]


@pytest.mark.parametrize(("kind", "dialect", "end"), CASES)
async def test_resume_after_every_block(kind: str, dialect: str, end: str) -> None:
    """In every dialect, from every block on: nothing lost, nothing doubled."""
    stream = stream_of(kind, end)
    everything = await events_of(stream, dialect)
    ids = [event.last_event_id for event in everything]

    assert len(set(ids)) == len(ids)
    assert ids[-1] == f"st_x.{stream.tail.last}"
    for place, last in enumerate(ids[:-1]):
        assert await events_of(stream, dialect, Cursor.parse(last)) == everything[place + 1 :]


@pytest.mark.parametrize("dialect", ["events", "responses", "ui", "messages"])
async def test_several_blocks_of_one_record_have_parts(dialect: str) -> None:
    """Counted from 1; the last has the record's own id."""
    ids = [event.last_event_id for event in await events_of(stream_of("chat"), dialect)]
    of_fourth = [last for last in ids if last.startswith("st_x.1-4")]
    parts = [f"st_x.1-4.{part}" for part in range(1, len(of_fourth))]

    assert len(of_fourth) > 1
    assert of_fourth == [*parts, "st_x.1-4"]


async def test_ids_are_the_same_after_resuming_by_number() -> None:
    """A Responses client may resume by number in one place and by id in the next."""
    stream = stream_of("chat")
    everything = await events_of(stream, "responses")
    for after in range(len(everything) - 1):
        assert await events_of(stream, "responses", after=after) == everything[after + 1 :]


async def test_part_of_another_dialect_repeats_its_record() -> None:
    """A part that the record does not have in this dialect is ignored; the id does not name one."""
    stream = stream_of("chat")
    everything = await events_of(stream, "chat")
    assert await events_of(stream, "chat", Cursor.parse("1-4.2")) == everything[3:]
    last = stream.tail.last
    assert (await events_of(stream, "events", Cursor(last, part=7)))[-1].data == "[DONE]"


async def test_part_of_a_record_that_the_store_never_had() -> None:
    """A client of a lost stream was further on: it gets the complete end."""
    stream = stream_of("chat", "lost")
    stream.is_ours = False
    (end,) = await events_of(stream, "events", Cursor.parse("1-7.1"))
    assert (end.last_event_id, json.loads(end.data)["code"]) == ("st_x.2-0", "lost")


def test_cursors_with_parts_are_read() -> None:
    """With or without a stream; a part has four digits at most."""
    assert Cursor.parse("1-5.2") == Cursor(RecordId(1, 5), None, 2)
    assert Cursor.parse("st_x.1-5.2") == Cursor(RecordId(1, 5), "st_x", 2)
    assert Cursor.parse("1-5") == Cursor.parse("1-5.0") == Cursor(RecordId(1, 5))
    for bad in ("1-5.", "1-5.12345", "1-5.x", "1-5.1.1", "1.2", "\u0661-\u0665", ".1-5"):
        with pytest.raises(ClientError):
            Cursor.parse(bad)


def test_part_of_a_record_is_not_all_of_it() -> None:
    """The record is read again, for the sake of its other blocks; so is the end."""
    stream = stream_of("chat")
    assert first_after(stream, Cursor.parse("1-3")) == 4
    assert first_after(stream, Cursor.parse("1-3.1")) == 3
    assert first_after(stream, Cursor.parse("1-0.1")) == 0
    assert first_after(stream, Cursor.parse("1-6.1")) == stream.tail.next == 6
    with pytest.raises(ClientError):
        first_after(stream, Cursor.parse("1-7.1"))
