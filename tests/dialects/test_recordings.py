"""Streams in the shapes that providers send, each named in its file's first line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.matrix.cases import usage_last
from tokenwire.dialects.chat.decode import ChatDecoder
from tokenwire.dialects.chat.fold import fold
from tokenwire.dialects.events import EventsDecoder, EventsEncoder
from tokenwire.events import Content, Error, Event, Finish, Reasoning, Start, ToolCall, Usage
from tokenwire.sse import Splitter, without_cursor

HERE = Path(__file__).parent / "recordings"
AT = 1763700000
SAID = "The provider reported an error in its stream."
OPENAI = Start("chatcmpl-A1", "gpt-5-mini", AT)
STOP = Finish("stop")

EXPECTED: dict[str, list[Event]] = {
    "openai_tools": [
        OPENAI,
        ToolCall(0, "call_1", "weather"),
        ToolCall(0, arguments='{"city":'),
        ToolCall(0, arguments='"Köln"}'),
        ToolCall(1, "call_2", "time", "{}"),
        Finish("tool_calls"),
        Usage(57, 17, 32, 4),
    ],
    "openai_choices": [
        OPENAI,
        Content("Yes"),
        Content("I can't", 1, refusal=True),
        Content(" 🎈"),
        Finish("stop", 1),
        STOP,
    ],
    "azure": [OPENAI, Content("Hel"), Content("lo"), STOP, Usage(3, 2)],
    "deepseek": [
        Start("ds-1", "deepseek-reasoner", AT),
        Reasoning("Hm"),
        Reasoning(", 2?"),
        Content("2"),
        STOP,
        Usage(3, 2, 0, 1),
    ],
    "openrouter": [
        Start("gen-1", "anthropic/claude", AT),
        Reasoning("Hm"),
        Content("Two"),
        Error("upstream_rate_limited", SAID, retryable=True, status=429),
    ],
    "groq": [Start("cc-1", "llama-3.3-70b", AT), Content("Hi"), STOP, Usage(3, 2)],
    "mistral": [
        Start("ms-1", "magistral-medium", AT),
        Reasoning("Hm"),
        Content("T"),
        Content("wo"),
        STOP,
        Usage(3, 2),
    ],
    "vllm_error": [
        Start("cmpl-1", "qwen", AT),
        Content("Hi"),
        Error("upstream_invalid_request", SAID, status=400),
    ],
    "gemini": [
        Start("gm-1", "gemini", AT),
        ToolCall(0, "fc_1", "f", "{}"),
        ToolCall(1, "fc_2", "g", '{"a": 1}'),
        STOP,
        Usage(3, 2),
    ],
    "relay": [OPENAI, Content("Hi"), STOP],
    "python_proxy": [Start("7", "m"), Content("café �"), Content("!"), STOP],
}
every_recording = pytest.mark.parametrize("name", sorted(EXPECTED))


def recording(name: str) -> bytes:
    """The bytes of one recording."""
    return (HERE / f"{name}.sse").read_bytes()


def split(*chunks: bytes) -> list[bytes]:
    """The blocks of a stream that came in these pieces."""
    splitter = Splitter()
    return [block for chunk in chunks for block in splitter.feed(chunk)]


def decoded(blocks: list[bytes]) -> list[Event]:
    """All events of a stream."""
    decoder = ChatDecoder()
    return [event for block in blocks for event in decoder.decode(block)]


def test_every_recording_is_read() -> None:
    """No file lies there unread, and each names its shape."""
    assert {path.stem for path in HERE.glob("*.sse")} == set(EXPECTED)
    assert all(recording(name).startswith(b": shape: ") for name in EXPECTED)


@every_recording
def test_recording_says(name: str) -> None:
    """Each recording's events; none of the provider's error text is among them."""
    events = decoded(split(recording(name)))
    assert events == EXPECTED[name]
    assert "secret" not in repr(events)
    assert "private" not in repr(events)


@every_recording
def test_cut_at_every_byte(name: str) -> None:
    """Wherever the stream is cut, the blocks mean the same."""
    stream = recording(name)
    for at in range(len(stream) + 1):
        assert decoded(split(stream[:at], stream[at:])) == EXPECTED[name], at
    assert decoded(split(*(stream[n : n + 1] for n in range(len(stream))))) == EXPECTED[name]


@every_recording
def test_line_ends_do_not_matter(name: str) -> None:
    """The same stream with LF, CRLF or CR says the same."""
    lines = recording(name).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    for end in (b"\n", b"\r\n", b"\r"):
        assert decoded(split(lines.replace(b"\n", end))) == EXPECTED[name]


@every_recording
def test_nothing_that_matters_is_passed_over(name: str) -> None:
    """A block with a usage, a finish, an error or the terminator is notable."""
    decoder = ChatDecoder()
    for block in split(recording(name)):
        matters = [e for e in decoder.decode(block) if isinstance(e, Usage | Finish | Error)]
        if matters or decoder.ends(block):
            assert decoder.notable(block)


@every_recording
def test_terminator_is_found(name: str) -> None:
    """Every whole stream is seen to end, with or without the relay's own lines."""
    blocks = split(recording(name))
    decoder = ChatDecoder()
    ends = [decoder.ends(block) for block in blocks]
    assert ends == [False] * (len(blocks) - 1) + [name != "openrouter"]
    assert [decoder.ends(without_cursor(block)) for block in blocks] == ends


@every_recording
def test_said_again_as_typed_events(name: str) -> None:
    """Typed events carry all of it, but the HTTP status of an error."""
    encoder, decoder = EventsEncoder(), EventsDecoder()
    whole = [event for event in EXPECTED[name] if not isinstance(event, Error)]
    blocks = [block for event in whole for block in encoder.encode(event)] + encoder.end()
    assert [event for block in blocks for event in decoder.decode(block)] == usage_last(whole)


def folded(name: str) -> dict[str, Any]:
    """The recording as one answer."""
    blocks = split(recording(name))
    decoder = ChatDecoder()
    return fold(block for block in blocks if not decoder.ends(block))


def test_azure_folds_to_one_answer() -> None:
    """The empty head is filled later, and repeated filter results are not joined."""
    whole = folded("azure")
    assert (whole["id"], whole["model"], whole["created"]) == ("chatcmpl-A1", "gpt-5-mini", AT)
    assert whole["prompt_filter_results"]
    assert whole["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
            "content_filter_results": {},
        }
    ]


def test_groq_folds_to_one_answer() -> None:
    """An object of the provider's own that comes in two chunks is merged."""
    assert folded("groq")["x_groq"] == {
        "id": "req_1",
        "usage": {
            "prompt_tokens": 3,
            "completion_tokens": 2,
            "total_tokens": 5,
            "total_time": 0.01,
        },
    }


def test_openai_tools_fold_to_one_answer() -> None:
    """Two tool calls, their arguments joined."""
    (choice,) = folded("openai_tools")["choices"]
    assert [call["function"] for call in choice["message"]["tool_calls"]] == [
        {"name": "weather", "arguments": '{"city":"Köln"}'},
        {"name": "time", "arguments": "{}"},
    ]


def test_mistral_folds_to_one_answer() -> None:
    """A list of parts that goes on as text loses nothing."""
    (choice,) = folded("mistral")["choices"]
    assert choice["message"]["content"] == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
        {"type": "text", "text": "T"},
        {"type": "text", "text": "wo"},
    ]
