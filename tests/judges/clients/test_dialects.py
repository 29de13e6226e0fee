"""Each provider kind as aimock mocks it (Bedrock's is a binary stream), in each dialect."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from tests.judges.clients.table import FULL, PROVIDERS
from tokenwire.dialects import DIALECTS
from tokenwire.events import Content, Error, Event, Finish, ToolCall, Usage
from tokenwire.sse import Splitter

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER: dict[str, Any] = {"name": "get_weather", "description": "The weather"}
Ask = Callable[[str, str], tuple[str, dict[str, Any]]]


def _chat(model: str, prompt: str) -> tuple[str, dict[str, Any]]:
    tool = {"type": "function", "function": {**WEATHER, "parameters": SCHEMA}}
    body = {"messages": [{"role": "user", "content": prompt}], "tools": [tool]}
    usage = {"stream_options": {"include_usage": True}}
    return "/v1/chat/completions", {"model": model, "stream": True, **body, **usage}


def _responses(model: str, prompt: str) -> tuple[str, dict[str, Any]]:
    tool = {"type": "function", **WEATHER, "parameters": SCHEMA, "strict": False}
    return "/v1/responses", {"model": model, "stream": True, "input": prompt, "tools": [tool]}


def _messages(model: str, prompt: str) -> tuple[str, dict[str, Any]]:
    tool = {**WEATHER, "input_schema": SCHEMA}
    body = {"messages": [{"role": "user", "content": prompt}], "tools": [tool], "max_tokens": 99}
    return "/v1/messages", {"model": model, "stream": True, **body}


def _events(model: str, prompt: str) -> tuple[str, dict[str, Any]]:
    tool = {"type": "function", "function": {**WEATHER, "parameters": SCHEMA}}
    return "/api/stream", {"model": model, "message": prompt, "tools": [tool]}


def _ui(model: str, prompt: str) -> tuple[str, dict[str, Any]]:
    parts = [{"type": "text", "text": prompt}]
    result = {"id": "1", "role": "user", "parts": parts}
    return "/api/chat", {"id": "chat", "model": model, "messages": [result]}


ASK: dict[str, Ask] = {
    "chat": _chat,
    "responses": _responses,
    "messages": _messages,
    "events": _events,
    "ui": _ui,
}

pytestmark = [
    pytest.mark.judge("aimock", "OpenAI, Anthropic, Gemini and Bedrock as it mocks them"),
    pytest.mark.timeout(60),
]


@pytest.fixture
async def app(tokenwire_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of tokenwire in front of aimock."""
    async with httpx2.AsyncClient(base_url=tokenwire_url, trust_env=False, timeout=20) as client:
        yield client


async def answer(
    app: httpx2.AsyncClient, dialect: str, provider: str, prompt: str
) -> tuple[httpx2.Response, list[Event]]:
    """The response, and the events that its stream says."""
    path, body = ASK[dialect](PROVIDERS[provider], prompt)
    response = await app.post(path, json=body)
    decoder = DIALECTS[dialect].decoder()
    blocks = Splitter().feed(response.content) if response.is_success else []
    return response, [event for block in blocks for event in decoder.decode(block)]


def text(events: list[Event]) -> str:
    """All content, joined."""
    return "".join(event.delta for event in events if isinstance(event, Content))


def finish(events: list[Event]) -> list[str]:
    """Why the answer ended."""
    return [event.reason for event in events if isinstance(event, Finish)]


both = pytest.mark.parametrize(
    ("dialect", "provider"), [(dialect, name) for dialect in ASK for name in PROVIDERS]
)


@both
async def test_plain_with_usage(dialect: str, provider: str, app: httpx2.AsyncClient) -> None:
    """The response is complete and has the provider's usage once."""
    _, events = await answer(app, dialect, provider, "The capital of France?")
    assert text(events) == "The capital of France is Paris."
    assert finish(events) == ["stop"]
    usage = [(e.input_tokens, e.output_tokens) for e in events if isinstance(e, Usage)]
    # In Messages the first of two is a running total.
    assert (usage[-1:] if dialect == "messages" else usage) == [(11, 7)]


@both
async def test_text_and_a_tool(dialect: str, provider: str, app: httpx2.AsyncClient) -> None:
    """Text, then one call with its arguments."""
    _, events = await answer(app, dialect, provider, "The weather in Paris?")
    calls = [event for event in events if isinstance(event, ToolCall)]
    assert text(events) == "Let me look."
    assert [call.name for call in calls if call.name] == ["get_weather"]
    assert "".join(call.arguments for call in calls).replace(" ", "") == '{"city":"Paris"}'
    assert finish(events) == ["tool_calls"]


@both
async def test_refused(dialect: str, provider: str, app: httpx2.AsyncClient) -> None:
    """A provider's 429 is one for the caller: as a status, or as the stream's only event."""
    response, events = await answer(app, dialect, provider, "refuse for the rate")
    if response.is_success:
        assert [event.code for event in events if isinstance(event, Error)] == [
            "upstream_rate_limited"
        ]
        assert text(events) == ""
    else:
        assert response.status_code == 429
    assert "Slow down" not in response.text


@both
async def test_cut_in_mid_stream(dialect: str, provider: str, app: httpx2.AsyncClient) -> None:
    """What had come, then an error; never an end that looks whole."""
    _, events = await answer(app, dialect, provider, "break in the middle")
    result = text(events)
    assert FULL.startswith(result)
    assert result not in ("", FULL)
    assert isinstance(events[-1], Error)
    assert finish(events) == []
