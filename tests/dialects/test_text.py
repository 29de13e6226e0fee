"""The short way of a piece of text gives what the long one gives: the same bytes and state."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from tests.dialects.test_round_trips import TEXT
from tokenwire.dialects import DIALECTS
from tokenwire.dialects.protocol import Decoder
from tokenwire.errors import UpstreamError
from tokenwire.events import Citation, Content, Event, Finish, Reasoning, Start, ToolCall
from tokenwire.hotpath import ReadsText, WritesText

PLAIN = TEXT.map(Content)
OTHER: some.SearchStrategy[Event] = (
    some.builds(Content, TEXT, some.integers(0, 1), some.booleans())
    | TEXT.map(Reasoning)
    | some.just(Reasoning("", signature="s"))
    | some.just(Citation("https://a", "b", "c"))
    | some.integers(0, 2).map(lambda call: ToolCall(call, f"c{call}", "f", "{}"))
    | some.just(Finish("stop"))
    | some.just(Start("st_2", "m", 1))
)


@pytest.mark.parametrize("dialect", DIALECTS)
@settings(max_examples=150, deadline=None)
@given(some.lists(some.lists(PLAIN, max_size=3) | OTHER.map(lambda event: [event]), max_size=9))
def test_text_is_written_as_the_event_is(dialect: str, parts: list[list[Event]]) -> None:
    """At any place of a stream, also of a name that looks like the mark of a text."""
    made = DIALECTS[dialect].encoder
    long, short = made(), made()
    assert isinstance(short, WritesText)
    events = [Start("chatcmpl-1", 'm"\0"', 2), *(event for part in parts for event in part)]
    for event in events:
        made().encode(event)  # A string keeps its bytes once it is encoded, and is larger then.
        block = None
        if isinstance(event, Content) and event == Content(event.delta):
            block = short.text_block(event.delta)
        assert long.encode(event) == (short.encode(event) if block is None else [block])
        assert long.held == short.held
    assert long.end() == short.end()


@pytest.mark.parametrize("dialect", DIALECTS)
def test_second_piece_takes_the_short_way(dialect: str) -> None:
    """Else nothing would be gained."""
    encoder = DIALECTS[dialect].encoder()
    assert isinstance(encoder, WritesText)
    encoder.encode(Start("st_1", "m"))
    encoder.encode(Content("a"))
    assert encoder.text_block("b") is not None


# Fields of a block, each with the values that it has in text, and others.
ODD: some.SearchStrategy[Any] = some.sampled_from([None, "", "x", 0, 1, [], {}, "error"])
SOME_TEXT: some.SearchStrategy[Any] = TEXT | ODD


def fields(**known: some.SearchStrategy[Any]) -> some.SearchStrategy[dict[str, Any]]:
    """An object with some of these fields."""
    return some.fixed_dictionaries({}, optional=known)


DELTA = some.fixed_dictionaries({"content": SOME_TEXT}) | fields(
    content=SOME_TEXT,
    role=ODD,
    refusal=ODD,
    reasoning_content=ODD,
    reasoning=ODD,
    tool_calls=ODD,
    function_call=ODD,
)
CHOICE = some.fixed_dictionaries(
    {"index": some.just(0) | ODD, "delta": DELTA}, optional={"finish_reason": some.none() | ODD}
)
CHUNK = some.fixed_dictionaries(
    {
        "id": some.just("c"),
        "object": some.just("chat.completion.chunk") | ODD,
        "choices": some.lists(CHOICE, max_size=2),
    },
    optional={"usage": ODD, "error": ODD, "model": ODD, "created": ODD, "more": ODD},
)
PIECE = some.fixed_dictionaries(
    {
        "type": some.just("content_block_delta") | ODD,
        "delta": some.fixed_dictionaries(
            {"type": some.sampled_from(["text_delta", "thinking_delta"]), "text": SOME_TEXT},
            optional={"thinking": ODD, "partial_json": ODD, "citation": ODD},
        ),
    },
    optional={"index": ODD, "usage": ODD, "message": ODD, "error": ODD},
)
HEADS = ("data: ", "data:", "event: content_block_delta\ndata: ", "event: error\ndata: ")
ENDS = ("\n\n", "\r\n\r\n", "\nevent: error\n\n", "\ndata: \n\n", "\n: c\n\n")


@settings(max_examples=500, deadline=None)
@given(CHUNK, some.sampled_from(HEADS), some.sampled_from(ENDS), some.booleans())
def test_chat_text_is_what_decoding_finds(body: Any, head: str, end: str, begun: bool) -> None:
    """Whatever else the chunk has, and however it is written."""
    decoder = DIALECTS["chat"].decoder()
    if begun:
        decoder.decode(b'data: {"id":"c","model":"m","choices":[]}\n\n')
    assert_same(decoder, body, head, end)


@settings(max_examples=500, deadline=None)
@given(PIECE, some.sampled_from(HEADS), some.sampled_from(ENDS))
def test_messages_text_is_what_decoding_finds(body: Any, head: str, end: str) -> None:
    """Likewise for a delta of a content block."""
    assert_same(DIALECTS["messages"].decoder(), body, head, end)


def assert_same(decoder: Decoder, body: Any, head: str, end: str) -> None:
    """A text that is read is the only event of the block."""
    block = head.encode() + msgspec.json.encode(body) + end.encode()
    assert isinstance(decoder, ReadsText)
    text = decoder.text_of(block)
    if text is not None:
        assert decoder.decode(block) == [Content(text)]


@pytest.mark.parametrize("dialect", ["chat", "messages"])
def test_text_of_these_dialects_is_read(dialect: str) -> None:
    """As our own encoder writes it, and as the providers do; nothing else is taken for text."""
    encoder, decoder = DIALECTS[dialect].encoder(), DIALECTS[dialect].decoder()
    assert isinstance(decoder, ReadsText)
    for event in (Start("st_1", "m"), Content("a")):
        for block in encoder.encode(event):
            decoder.decode(block)
    assert decoder.text_of(encoder.encode(Content("b"))[0]) == "b"
    assert decoder.text_of(encoder.encode(Reasoning("b"))[-1]) is None
    with pytest.raises(UpstreamError):
        decoder.decode(b"data: {\n\n")
