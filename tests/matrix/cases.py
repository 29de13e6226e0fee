"""Expected answers of the recordings, which are the same for every kind of provider."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.fakes.eventstream import recorded
from tests.fakes.upstream import Upstream
from tokenwire.events import Content, Event, Finish, Reasoning, ToolCall, Usage
from tokenwire.sse import Splitter

HERE = Path(__file__).parent / "recordings"


@dataclass(frozen=True)
class Answer:
    """An answer as any client reports it. Calls are (id, name, arguments as JSON)."""

    text: str = ""
    reasoning: str = ""
    calls: tuple[tuple[str, str, str], ...] = ()
    finish: str = "stop"
    usage: tuple[int, int] | None = (57, 17)
    error: str = ""


WEATHER = ("call_1", "weather", '{"city": "Köln"}')
CASES: dict[str, Answer] = {
    "text": Answer("Grüße, 🎈\nwörld"),
    "tools": Answer(calls=(WEATHER,), finish="tool_calls"),
    "parallel": Answer(calls=(WEATHER, ("call_2", "time", '{"zone": "CET"}')), finish="tool_calls"),
    "reasoning": Answer("Two", "Let me think."),
    "refusal": Answer("I cannot."),
    "length": Answer("Once upon", finish="length"),
    "error": Answer("Hi", finish="", usage=None, error="overloaded"),
}
PROVIDERS = {
    "chat": "openai",
    "messages": "anthropic",
    "converse": "bedrock",
    "gemini": "gemini",
}
"""Return a provider for each provider protocol."""
SSE = ("chat", "messages")


def meaning(case: str, dialect: str) -> Answer:
    """Return the expected answer; a refusal is a stop reason or text, by provider."""
    result = CASES[case]
    by_reason = case == "refusal" and dialect != "chat"
    return replace(result, finish="content_filter") if by_reason else result


def recording(case: str, dialect: str) -> bytes:
    """Return the bytes that a provider sends."""
    if dialect == "converse":
        return recorded(HERE / dialect / f"{case}.jsonl")
    return (HERE / dialect / f"{case}.sse").read_bytes()


def split(*chunks: bytes) -> list[bytes]:
    """Split a stream that arrives in these pieces into blocks."""
    splitter = Splitter()
    return [block for chunk in chunks for block in splitter.feed(chunk)]


def answer(provider: Upstream, case: str, dialect: str) -> None:
    """Let the scripted provider play this recording."""
    provider.script_anew()
    provider.answer(recording(case, dialect))


def usage_last(events: Sequence[Event]) -> list[Event]:
    """Return the events as sent: of usage only the last count, at the end."""
    counts = [event for event in events if isinstance(event, Usage)]
    return [*(event for event in events if not isinstance(event, Usage)), *counts[-1:]]


def canonical(arguments: str) -> str:
    """Return arguments as JSON, independent of white space."""
    return json.dumps(json.loads(arguments or "{}"), ensure_ascii=False)


def heard(events: Iterable[Event]) -> Answer:
    """Summarise typed events."""
    result: dict[str, Any] = {"text": "", "reasoning": "", "finish": "", "usage": None, "error": ""}
    calls: dict[int, list[str]] = {}
    for event in events:
        match event:
            case Content(delta=delta):
                result["text"] += delta
            case Reasoning(delta=delta):
                result["reasoning"] += delta
            case ToolCall():
                call = calls.setdefault(event.call, ["", "", ""])
                call[0] += event.id or ""
                call[1] += event.name or ""
                call[2] += event.arguments
            case Finish(reason=reason):
                result["finish"] = reason
            case Usage():
                result["usage"] = (event.input_tokens, event.output_tokens)
    found = tuple((c[0], c[1], canonical(c[2])) for c in calls.values())
    return Answer(**result, calls=found)
