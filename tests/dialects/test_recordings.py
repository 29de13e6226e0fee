"""Recorded streams of providers; the first line of each file names its source."""

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
    """Return the bytes of one recording."""
    return (HERE / f"{name}.sse").read_bytes()


def split(*chunks: bytes) -> list[bytes]:
    """Split a stream that arrives in these pieces into blocks."""
    splitter = Splitter()
    return [block for chunk in chunks for block in splitter.feed(chunk)]


def decoded(blocks: list[bytes]) -> list[Event]:
    """All events of a stream."""
    decoder = ChatDecoder()
    return [event for block in blocks for event in decoder.decode(block)]


def test_every_recording_is_read() -> None:
    """Every file is used by a test and names its source."""
    assert {path.stem for path in HERE.glob("*.sse")} == set(EXPECTED)
    assert all(recording(name).startswith(b": shape: ") for name in EXPECTED)


@every_recording
def test_recording_says(name: str) -> None:
    """Each recording has the expected events, without the provider's error text."""
    events = decoded(split(recording(name)))
    assert events == EXPECTED[name]
    assert "secret" not in repr(events)
    assert "private" not in repr(events)


@every_recording
def test_cut_at_every_byte(name: str) -> None:
    """A stream split at any byte has the same events."""
    stream = recording(name)
    for at in range(len(stream) + 1):
        assert decoded(split(stream[:at], stream[at:])) == EXPECTED[name], at
    assert decoded(split(*(stream[n : n + 1] for n in range(len(stream))))) == EXPECTED[name]


@every_recording
def test_line_ends_do_not_matter(name: str) -> None:
    """The same stream with LF, CRLF or CR has the same events."""
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
    """The end of every complete stream is recognised, with or without lines of a relay."""
    blocks = split(recording(name))
    decoder = ChatDecoder()
    ends = [decoder.ends(block) for block in blocks]
    assert ends == [False] * (len(blocks) - 1) + [name != "openrouter"]
    assert [decoder.ends(without_cursor(block)) for block in blocks] == ends


@every_recording
def test_typed_events_keep_the_recording(name: str) -> None:
    """Typed events keep all of it except the HTTP status of an error."""
    encoder, decoder = EventsEncoder(), EventsDecoder()
    full = [event for event in EXPECTED[name] if not isinstance(event, Error)]
    blocks = [block for event in full for block in encoder.encode(event)] + encoder.end()
    assert [event for block in blocks for event in decoder.decode(block)] == usage_last(full)


def folded(name: str) -> dict[str, Any]:
    """Fold the recording."""
    blocks = split(recording(name))
    decoder = ChatDecoder()
    return fold(block for block in blocks if not decoder.ends(block))


def test_azure_folds_to_one_answer() -> None:
    """An empty header is filled later, and repeated filter results are not joined."""
    full = folded("azure")
    assert (full["id"], full["model"], full["created"]) == ("chatcmpl-A1", "gpt-5-mini", AT)
    assert full["prompt_filter_results"]
    assert full["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
            "content_filter_results": {},
        }
    ]


def test_groq_folds_to_one_answer() -> None:
    """A provider-specific object in two chunks is merged."""
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
    """Two tool calls have their arguments joined."""
    (choice,) = folded("openai_tools")["choices"]
    assert [call["function"] for call in choice["message"]["tool_calls"]] == [
        {"name": "weather", "arguments": '{"city":"Köln"}'},
        {"name": "time", "arguments": "{}"},
    ]


def test_mistral_folds_to_one_answer() -> None:
    """A list of parts that continues as text loses nothing."""
    (choice,) = folded("mistral")["choices"]
    assert choice["message"]["content"] == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
        {"type": "text", "text": "T"},
        {"type": "text", "text": "wo"},
    ]
