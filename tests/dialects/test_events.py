"""The ``events`` dialect: encoding and decoding."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.dialects.test_chat import EVENTS
from tests.matrix.cases import usage_last
from tokenwire.dialects import DIALECTS
from tokenwire.dialects.events import DIALECT, EventsDecoder, EventsEncoder
from tokenwire.errors import UpstreamError
from tokenwire.events import Content, Error, Event, Start, Usage

START = Start("st_1", "m", 1)


def blocks(*events: Event) -> list[bytes]:
    """Encode the blocks of a stream."""
    encoder = EventsEncoder()
    return [block for event in events for block in encoder.encode(event)]


def decoded(*result: bytes) -> list[Event]:
    """Decode all events of a stream."""
    decoder = EventsDecoder()
    return [event for block in result for event in decoder.decode(block)]


@given(st.lists(EVENTS))
def test_round_trip_loses_nothing(events: list[Event]) -> None:
    """Encoding and decoding returns the same events, with the last usage at the end."""
    encoder = EventsEncoder()
    result = [block for event in [START, *events] for block in encoder.encode(event)]
    assert decoded(*result, *encoder.end()) == usage_last([START, *events])


@pytest.mark.parametrize("close", [EventsEncoder.end, lambda e: e.error(Error("lost", "Gone."))])
def test_usage_is_sent_once(close: Callable[[EventsEncoder], list[bytes]]) -> None:
    """Of running totals only the last is sent, at the end of any stream."""
    encoder = EventsEncoder()
    assert [encoder.encode(Usage(57, n)) for n in (1, 17)] == [[], []]
    assert decoded(*close(encoder))[0] == Usage(57, 17)
    assert decoded(*encoder.interrupt(Error("lost", "Gone."))) == [Error("lost", "Gone.")]


def test_defaults_are_left_out() -> None:
    """A content block has a type and a delta only."""
    assert blocks(Content("Hi ☃")) == ['data: {"type":"content","delta":"Hi ☃"}\n\n'.encode()]
    assert blocks(Content("x", 1, refusal=True)) == [
        b'data: {"type":"content","delta":"x","choice":1,"refusal":true}\n\n'
    ]


def test_start_is_sent_once() -> None:
    """The provider's own start does not rename the stream."""
    assert len(blocks(START, Start("chatcmpl-1", "other"))) == 1


def test_ends() -> None:
    """A complete stream ends with [DONE]; a failed one with an error, without an HTTP status."""
    encoder = EventsEncoder()
    assert encoder.end() == [b"data: [DONE]\n\n"]
    error = Error("lost", "Gone.", retryable=True, status=502, param="p", retry_after=3.0)
    (block,) = encoder.error(error)
    assert block == (
        b'data: {"type":"error","code":"lost","message":"Gone.","retryable":true,'
        b'"param":"p","retry_after":3.0}\n\n'
    )
    assert DIALECT.error_body(Error("c", "m")) == {
        "type": "error",
        "code": "c",
        "message": "m",
        "retryable": False,
    }


def test_terminator_and_later_types_say_nothing() -> None:
    """[DONE] and types of later versions are no events, and no errors."""
    assert decoded(b"data: [DONE]\n\n", b'data: {"type":"later"}\n\n', b": c\n\n") == []
    assert EventsDecoder().ends(b"data: [DONE]\n\n")


@pytest.mark.parametrize(
    "data", [b"{", b"5", b'{"type":"content"}', b'{"type":["x"]}', b'{"type":"content","delta":5}']
)
def test_garbage_is_malformed(data: bytes) -> None:
    """A block that is not a typed event is an upstream error."""
    with pytest.raises(UpstreamError) as caught:
        decoded(b"data: " + data + b"\n\n")
    assert caught.value.code == "upstream_malformed"


@pytest.mark.parametrize("dialect", ["events", "ui"])
def test_every_block_is_looked_into(dialect: str) -> None:
    """An object with two types is decoded or an upstream error (found by make fuzz)."""
    twice = b'data: {"type":"text-delta","delta":"x","type":"error"}\n\n'
    assert DIALECTS[dialect].decoder().notable(twice)
    assert all(map(DIALECTS[dialect].decoder().notable, blocks(Content("x"), START)))


def test_dialects_know_their_names() -> None:
    """The registry is keyed by the dialects' names and is read-only."""
    assert {name: dialect.name for name, dialect in DIALECTS.items()} == {
        name: name for name in ("chat", "responses", "messages", "events", "ui")
    }
    with pytest.raises(TypeError):
        DIALECTS["x"] = DIALECT  # type: ignore[index]
