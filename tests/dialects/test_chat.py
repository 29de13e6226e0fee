"""The ``chat`` dialect: decoding, encoding, and their agreement."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.upstream import DONE, ROLE, STOP, chunk, text, usage
from tests.matrix.cases import usage_last
from tokenwire.dialects import chat
from tokenwire.dialects.chat.decode import ChatDecoder
from tokenwire.errors import UpstreamError
from tokenwire.events import Content, Error, Event, Finish, Reasoning, Start, ToolCall, Usage
from tokenwire.sse import Splitter

START = Start("chatcmpl-1", "gpt-x", 1)


def decoded(*blocks: bytes) -> list[Event]:
    """Decode all events of a stream."""
    decoder = ChatDecoder()
    return [event for block in blocks for event in decoder.decode(block)]


def one(delta: dict[str, Any] | None, **more: Any) -> list[Event]:
    """Decode the events of one chunk, without the start."""
    return decoded(chunk(delta, **more))[1:]


def test_text_stream() -> None:
    """A stream has one start, content, finish and usage; the terminator is no event."""
    assert decoded(ROLE, text("Hi"), STOP, usage(), DONE) == [
        START,
        Content("Hi"),
        Finish("stop"),
        Usage(3, 2),
    ]


@pytest.mark.parametrize(
    ("delta", "events"),
    [
        ({"refusal": "no"}, [Content("no", refusal=True)]),
        ({"reasoning_content": "hm"}, [Reasoning("hm")]),
        ({"reasoning": "hm"}, [Reasoning("hm")]),
        ({"content": None, "tool_calls": None}, []),
        (
            {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]},
            [ToolCall(0, "c", "f")],
        ),
        (
            {"tool_calls": [{"index": 1, "function": {"arguments": "{"}}]},
            [ToolCall(1, arguments="{")],
        ),
        ({"tool_calls": [{"index": 0, "id": "", "function": {"name": ""}}]}, [ToolCall(0)]),
        ({"function_call": {"name": "f", "arguments": "{}"}}, [ToolCall(0, None, "f", "{}")]),
        ({"content": "x", "unknown": [1]}, [Content("x")]),
        ({"content": [{"type": "text", "text": "x"}]}, [Content("x")]),
        (
            {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
            [Reasoning("hm")],
        ),
        ({"content": [5, {"type": "text"}, {"type": "image_url"}]}, []),
        ({"content": [{"type": "thinking", "thinking": [5, {"type": "x"}]}]}, []),
    ],
)
def test_deltas(delta: dict[str, Any], events: list[Event]) -> None:
    """Every type of delta of OpenAI and compatible servers is decoded."""
    assert one(delta) == events


def test_calls_without_index_are_separate() -> None:
    """Without an index, a new id starts a call; without an id, the last call continues."""
    calls = [{"id": "a", "function": {"name": "f"}}, {"id": "b", "function": {"name": "g"}}]
    more = chunk({"tool_calls": [{"function": {"arguments": "{}"}}]})
    again = chunk({"tool_calls": [{"id": "a", "function": {"arguments": "[]"}}]})
    assert decoded(chunk({"tool_calls": calls}), more, again)[1:] == [
        ToolCall(0, "a", "f"),
        ToolCall(1, "b", "g"),
        ToolCall(1, arguments="{}"),
        ToolCall(0, "a", arguments="[]"),
    ]


def test_several_choices() -> None:
    """Events have the number of their choice."""
    choices = [
        {"index": 1, "delta": {"content": "b"}, "finish_reason": None},
        {"delta": {"content": "a"}, "finish_reason": "length"},
        {"index": 1, "delta": None, "finish_reason": "stop"},
    ]
    assert one(None, choices=choices) == [
        Content("b", 1),
        Content("a"),
        Finish("length"),
        Finish("stop", 1),
    ]


def test_usage_details() -> None:
    """Cached and reasoning tokens are parts of the totals; nulls count as zero."""
    counts = {
        "prompt_tokens": 9,
        "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    assert one(None, choices=[], usage=counts) == [Usage(9, 5, 4, 2)]
    assert one(None, choices=[], usage={"prompt_tokens": None}) == [Usage(0, 0)]


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"error": {"type": "rate_limit_error", "message": "sk-secret"}}, "upstream_rate_limited"),
        ({"error": {"code": 429}}, "upstream_rate_limited"),
        ({"error": {"code": "insufficient_quota"}}, "upstream_quota"),
        ({"error": {"type": "overloaded_error"}}, "upstream_overloaded"),
        ({"error": {"code": "context_length_exceeded"}}, "upstream_context_length"),
        ({"error": {"type": "authentication_error"}}, "upstream_auth"),
        ({"error": {"code": "content_filter"}}, "upstream_content_filter"),
        ({"error": {"type": "insufficient_quota", "code": 429}}, "upstream_quota"),
        ({"error": {"type": "RateLimitError"}}, "upstream_rate_limited"),
        ({"error": {"code": 403}}, "upstream_auth"),
        ({"error": {"type": "server_error", "code": 500}}, "upstream_error"),
        ({"error": ["sk-secret"]}, "upstream_error"),
        ({"error": {"type": "invalid_request_error"}}, "upstream_invalid_request"),
        ({"error": "boom sk-secret"}, "upstream_error"),
        (
            {"object": "error", "message": "sk-secret", "type": "BadRequestError", "code": 400},
            "upstream_invalid_request",
        ),
    ],
)
def test_errors_inside_stream(payload: dict[str, Any], code: str) -> None:
    """Error objects of any shape become an error event without the provider's text."""
    block = b"data: " + json.dumps(payload).encode() + b"\n\n"
    decoder = ChatDecoder()

    (event,) = decoder.decode(block)

    assert isinstance(event, Error)
    assert event.code == code
    assert "secret" not in repr(event)
    assert decoder.notable(block)


ODD = [
    b"{",
    b"[]",
    b"5",
    b"\xff",
    b"[" * 50_000,
    b"9" * 5_000,
    b'{"choices":5}',
    b'{"choices":[{"delta":"x"}]}',
    b'{"model":"m","usage":[]}',
]


UNKNOWN = [
    b'data: {"detail":"no, sk-secret"}\n\n',
    b'data: {"text":"no, sk-secret","error_code":50001}\n\n',
    b'event: message\ndata: {"code":401,"msg":"sk-secret"}\n\n',
    b"data: {}\n\n",
]


@pytest.mark.parametrize("block", UNKNOWN)
def test_unknown_shape_is_malformed(block: bytes) -> None:
    """An object that is not a chunk is malformed, and its text is not passed on."""
    decoder = ChatDecoder()
    assert decoder.notable(block)
    with pytest.raises(UpstreamError) as caught:
        decoder.decode(block)
    assert caught.value.code == "upstream_malformed"
    assert "secret" not in str(caught.value)


def test_event_named_error_is_an_error() -> None:
    """An event named ``error`` is an error, whatever its data is."""
    (event,) = ChatDecoder().decode(b'event: error\ndata: {"detail":"sk-secret"}\n\n')
    assert isinstance(event, Error)
    assert (event.code, "secret" in event.message) == ("upstream_error", False)


@pytest.mark.parametrize("data", ODD)
def test_garbage_is_malformed(data: bytes) -> None:
    """A block that is not a chunk is an upstream error."""
    with pytest.raises(UpstreamError) as caught:
        decoded(b"data: " + data + b"\n\n")
    assert caught.value.code == "upstream_malformed"


@pytest.mark.parametrize(
    ("block", "notable"),
    [
        (text("hello"), False),
        (text('"usage":{} "finish_reason":"stop" "error"'), False),
        (ROLE, False),
        (STOP, True),
        (usage(), True),
        (DONE, True),
        (text("x").replace(b":null", b": null"), False),
        (b"data:" + text("x")[6:], False),
        (b'data: {"error":{}}\n\n', True),
        (b'data: {"error":{},"choices":[]}\n\n', True),
        (text("x")[:-3] + b"\n\n", True),
        (text("x")[:-2] + b"}\n\n", True),
        (text("x").replace(b":", b"", 2), True),
        (text("x").replace(b"x", b"\n"), True),
        (text("x").replace(b"{", b"{\r", 1), True),
        (b"event: error\n" + text("x"), True),
        (b"data: " + b"[" * 50_000 + b"\n\n", True),
    ],
)
def test_notable(block: bytes, notable: bool) -> None:
    """A plain content chunk is not notable; other chunks, and anything else, are."""
    assert ChatDecoder().notable(block) is notable


@pytest.mark.parametrize(
    "block",
    [
        DONE,
        b"data:[DONE]\r\n\r\n",
        b"data:  [DONE] \n\n",
        b"data: [DONE]\r\r",
        b"data: [DONE]",
        b": ping\n: ping\n: ping\n: ping\ndata: [DONE]\n\n",
        b"event: the-end-of-a-stream\nid: 7\ndata: [DONE]\nretry: 5\n\n",
    ],
)
def test_terminator(block: bytes) -> None:
    """[DONE] ends the stream with any white space and other fields, but not inside text."""
    assert ChatDecoder().ends(block)
    assert ChatDecoder().notable(block)
    assert ChatDecoder().decode(block) == []
    assert not ChatDecoder().ends(text("[DONE]"))


TEXTS = st.sampled_from(["x", '"usage":{', '"finish_reason":null', '"error"', "[DONE]", "\\"])


@given(
    TEXTS,
    st.sampled_from([None, "stop", ""]),
    st.sampled_from([None, {}, {"prompt_tokens": 1}]),
    st.sampled_from([None, {}, "boom", {"code": 1}]),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,", " : ")]),
)
def test_notable_misses_nothing(
    content: str, finish: str | None, used: object, error: object, separators: tuple[str, str]
) -> None:
    """A notable chunk is recognised with any white space in its JSON."""
    choice = {"index": 0, "delta": {"content": content}, "finish_reason": finish}
    body = {"choices": [choice], "usage": used, "error": error}
    block = b"data: " + json.dumps(body, separators=separators).encode() + b"\n\n"
    decoder = ChatDecoder()

    matters = any(isinstance(e, Usage | Finish | Error) for e in decoder.decode(block))

    assert decoder.notable(block) or not matters


@pytest.mark.parametrize("created", [None, "x", -1, 1e300, True, [], 2.5])
def test_odd_date_costs_nothing(created: object) -> None:
    """An invalid date is 0 and does not fail the answer."""
    block = (
        b"data: " + json.dumps({"created": created, "model": "m", "choices": []}).encode() + b"\n\n"
    )
    (start,) = decoded(block)
    assert isinstance(start, Start)
    assert start.created in (0, 1, 2)


EVENTS = st.one_of(
    st.builds(Content, st.text(min_size=1), st.integers(0, 3), st.booleans()),
    st.builds(Reasoning, st.text(min_size=1), st.integers(0, 3)),
    st.builds(
        ToolCall,
        st.integers(0, 5),
        st.none() | st.text(min_size=1),
        st.none() | st.text(min_size=1),
        st.text(),
        st.integers(0, 3),
    ),
    st.builds(Finish, st.sampled_from(["stop", "length", "tool_calls"]), st.integers(0, 3)),
    st.builds(Usage, *[st.integers(0, 2**40)] * 4),
)


@given(st.lists(EVENTS, min_size=1))
def test_round_trip_loses_nothing(events: list[Event]) -> None:
    """Encoding to chunks and decoding returns the same events, with usage at the end."""
    encoder = chat.DIALECT.encoder()
    blocks = [block for event in [START, *events] for block in encoder.encode(event)]

    assert decoded(*blocks, *encoder.end()) == usage_last([START, *events])


@given(st.lists(EVENTS, min_size=1, max_size=5), st.lists(st.integers(0, 2000)))
def test_any_cut_reads_the_same(events: list[Event], places: list[int]) -> None:
    """A stream split at any byte has the same events."""
    encoder = chat.DIALECT.encoder()
    stream = b"".join(b for event in [START, *events] for b in encoder.encode(event))
    stream += b"".join(encoder.end())
    marks = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    splitter = Splitter()

    blocks = [b for at, to in pairwise(marks) for b in splitter.feed(stream[at:to])]

    assert decoded(*blocks) == usage_last([START, *events])


def test_role_comes_first_in_each_choice() -> None:
    """The first chunk of a choice has the role, as clients expect."""
    encoder = chat.DIALECT.encoder()
    sent = [json.loads(encoder.encode(Content("x", n))[0][6:]) for n in (0, 1, 0)]
    assert [c["choices"][0]["delta"].get("role") for c in sent] == ["assistant", "assistant", None]


def test_complete_stream_ends_with_done() -> None:
    """Only a complete stream ends with the terminator."""
    encoder = chat.DIALECT.encoder()
    assert encoder.end() == [b"data: [DONE]\n\n"]
    assert encoder.encode(Error("lost", "It is gone.")) == []


def test_error_block_is_last_word() -> None:
    """An error is one data object with ``error``, which the SDKs raise; no [DONE] follows."""
    (block,) = chat.DIALECT.encoder().error(Error("lost", "It is gone.", status=502))
    assert json.loads(block[6:]) == {
        "error": {"message": "It is gone.", "type": "server_error", "param": None, "code": "lost"}
    }


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "invalid_request_error"),
        (429, "rate_limit_error"),
        (499, "server_error"),
        (502, "server_error"),
    ],
)
def test_error_types(status: int, kind: str) -> None:
    """Error types have OpenAI's names, depending on the status."""
    assert chat.error_body(Error("c", "m", status=status))["error"]["type"] == kind


def test_only_usage_tells_the_usage_chunk() -> None:
    """The usage chunk is recognised by its usage and its empty choices."""
    assert chat.only_usage(usage())
    assert chat.only_usage(usage().replace(b":[]", b": []"))
    assert not chat.only_usage(text("x"))
    assert not chat.only_usage(STOP.replace(b'"usage":null', b'"usage":{"prompt_tokens":1}'))
    # Azure's first chunk has no choices either, but it has filter results.
    assert not chat.only_usage(chunk(choices=[], prompt_filter_results=[]))
