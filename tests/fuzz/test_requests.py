"""Any HTTP request gets a response or an error with a code, and no internal error."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from aws_lambda_powertools import Logger
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenwire.app import create_app
from tokenwire.secrets import Secrets
from tokenwire.settings import load

pytestmark = pytest.mark.slow

NOWHERE = Path("/nonexistent")
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}
PICTURE = "data:image/png;base64,iVBORw0KGgo="
# One complete request in each dialect, for mutation.
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {
        "model": "demo/markdown",
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [
            {"role": "system", "content": "s"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "t"},
                    {"type": "image_url", "image_url": {"url": PICTURE}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                ],
            },
            {"role": "tool", "tool_call_id": "c", "content": "r"},
        ],
        "tools": [TOOL],
        "tool_choice": "auto",
        "temperature": 0.5,
        "max_tokens": 9,
        "n": 1,
        "stop": ["x"],
        "response_format": {"type": "json_object"},
    },
    "/v1/messages": {
        "model": "demo/markdown",
        "stream": True,
        "max_tokens": 9,
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "t"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "t", "signature": "s"},
                    {"type": "tool_use", "id": "c", "name": "f", "input": {"a": "b"}},
                ],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "c", "content": "r"}],
            },
        ],
        "tools": [{"name": "f", "description": "d", "input_schema": SCHEMA}],
        "tool_choice": {"type": "auto"},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "stop_sequences": ["x"],
        "metadata": {"user_id": "u"},
    },
    "/v1/responses": {
        "model": "demo/markdown",
        "stream": True,
        "instructions": "s",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "t"}]},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "r"},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": SCHEMA}],
        "reasoning": {"effort": "low"},
        "text": {"format": {"type": "text"}},
        "max_output_tokens": 9,
    },
    "/api/stream": {
        "model": "demo/markdown",
        "messages": [{"role": "user", "content": "t"}],
        "system": "s",
        "temperature": 1,
        "tools": [TOOL],
    },
    "/api/chat": {
        "id": "chat-1",
        "trigger": "submit-message",
        "messages": [
            {"id": "m", "role": "user", "parts": [{"type": "text", "text": "t"}]},
            {
                "id": "n",
                "role": "assistant",
                "parts": [
                    {"type": "step-start"},
                    {"type": "reasoning", "text": "t"},
                    {
                        "type": "tool-f",
                        "toolCallId": "c",
                        "state": "output-available",
                        "input": {},
                        "output": "r",
                    },
                ],
            },
            {"id": "o", "role": "user", "parts": [{"type": "text", "text": "t"}]},
        ],
    },
    "/v1/streams": {"message": "t", "model": "demo/markdown"},
}
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        ["", "user", "tool", "text", "auto", "demo/markdown", "x/../y", "\ud800", PICTURE]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
SHAPES = st.sampled_from(["text", "role", "content", "type", "id", "url", "input", "a", "x"])


class Site:
    """The app in this process, without sockets, in its own event loop."""

    def __init__(self) -> None:
        # The demo model's failures are not requested, and its answers are immediate.
        environ = {"TOKENWIRE_DEMO_PACE": "100000", "TOKENWIRE_SECRET": "0123456789abcdef"}
        self._runner = asyncio.Runner()
        app = create_app(
            load(environ, NOWHERE), Secrets(environ), Logger(service="fuzz", level="CRITICAL")
        )
        transport = httpx2.ASGITransport(app, client=("127.0.0.1", 5))
        self.services = app.state.services
        self._client = httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000")

    def send(self, method: str, url: str, **what: Any) -> httpx2.Response:
        """Send a request and return the complete response; exceptions of the app are raised."""
        return self._runner.run(self._client.request(method, url, **what))

    def close(self) -> None:
        """Stop all streams."""
        self._runner.run(self.services.hub.aclose())
        self._runner.close()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """One for all examples."""
    found = Site()
    yield found
    found.close()


def paths(value: Any) -> Iterator[list[Any]]:
    """Return the positions in a JSON value that can be replaced."""
    items = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in items:
        yield [key]
        yield from ([key, *rest] for rest in paths(inner))


def _change(holder: Any, key: Any, change: str, value: Any, name: str) -> None:
    match change:
        case "replace":
            holder[key] = value
        case "remove":
            del holder[key]
        case "nest":
            holder[key] = {name: holder[key]}
        case "double" if isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        case _ if isinstance(holder, dict):
            holder[name] = value


@st.composite
def mutations(draw: st.DrawFn, body: dict[str, Any]) -> Any:
    """Draw the body with some values replaced, removed, nested or duplicated."""
    found = copy.deepcopy(body)
    for _ in range(draw(st.integers(1, 3))):
        places = list(paths(found))
        if not places:
            break
        *way, key = draw(st.sampled_from(places))
        holder = found
        for step in way:
            holder = holder[step]
        change = draw(st.sampled_from(["replace", "remove", "nest", "double", "add"]))
        _change(holder, key, change, draw(VALUES), draw(SHAPES))
    return found


def check(response: httpx2.Response) -> None:
    """Assert a response, or an error with a code, a message, and a client error status."""
    if response.status_code < 300:
        return
    result = response.json()
    error = result["error"] if isinstance(result.get("error"), dict) else result
    code = error.get("code")
    assert response.status_code < 500, response.text
    assert code, response.text
    assert "Traceback" not in response.text


def encoded(body: Any) -> bytes:
    """Return the body as JSON, including lone surrogates."""
    return json.dumps(body).encode()


@pytest.mark.parametrize("path", BODIES)
def test_full_requests_are_answered(path: str, site: Site) -> None:
    """The requests are valid before mutation."""
    response = site.send("POST", path, content=encoded(BODIES[path]))
    assert response.status_code in (200, 201), response.text


@pytest.mark.parametrize("path", BODIES)
@settings(max_examples=150)
@given(draw=st.data())
def test_mutated_bodies_are_no_server_error(path: str, draw: st.DataObject, site: Site) -> None:
    """In every dialect, any value in any field gets a response or an error with a code."""
    check(site.send("POST", path, content=encoded(draw.draw(mutations(BODIES[path])))))


@pytest.mark.parametrize("path", BODIES)
@given(body=st.binary(max_size=64) | VALUES.map(encoded))
def test_any_body_is_no_server_error(path: str, body: bytes, site: Site) -> None:
    """Any JSON, and any other bytes, get a response or an error with a code."""
    check(site.send("POST", path, content=body))


TEXTS = st.text(max_size=24) | st.sampled_from(
    ["st_x.1-5", "1-1", "1-1.1", "-1", "9" * 30, "1-" + "9" * 12, "1.1795000000.x"]
)
LATIN = st.text(
    st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40
)
NAMES = st.sampled_from(
    [
        "last-event-id",
        "x-request-id",
        "authorization",
        "idempotency-key",
        "x-tokenwire-on-disconnect",
        "x-tokenwire-viewer",
        "content-type",
        "origin",
        "host",
        "sec-fetch-site",
        "accept",
        "range",
        "x-forwarded-for",
        "forwarded",
        "traceparent",
        "content-encoding",
        "cookie",
        "if-none-match",
    ]
)


@pytest.fixture(scope="module")
def stream(site: Site) -> str:
    """Return a stream's URL with its ticket."""
    url: str = site.send("POST", "/v1/streams", json={"message": "hi"}).json()["url"]
    return url


@given(cursor=TEXTS, query=st.sampled_from(["last_event_id", "starting_after", "format", "ticket"]))
def test_any_cursor_is_no_server_error(cursor: str, query: str, site: Site, stream: str) -> None:
    """Any cursor, ticket or format is accepted, or refused with a code."""
    check(site.send("GET", f"{stream}&{query}={quote(cursor)}"))
    header = cursor.encode("latin-1", "replace").translate(None, b"\r\n\x00")
    check(site.send("GET", stream, headers={"last-event-id": header.strip()}))


@given(
    name=st.text(min_size=1, max_size=24),
    rest=st.sampled_from(["", "/ticket", "/cancel", "/viewers/v", "/viewers/v_123456/leave"]),
    ticket=TEXTS,
    method=st.sampled_from(["GET", "POST"]),
)
def test_any_stream_or_ticket_is_no_server_error(
    name: str, rest: str, ticket: str, method: str, site: Site
) -> None:
    """Any id of a stream, chat, response or viewer is accepted, or refused with a code."""
    for base in ("/v1/streams/", "/v1/responses/", "/api/chat/"):
        path = f"{base}{quote(name, safe='')}{rest}"
        check(site.send(method, f"{path}?ticket={quote(ticket)}"))


@given(
    headers=st.dictionaries(NAMES, LATIN, max_size=4),
    path=st.sampled_from([*BODIES, "/v1/models", "/"]),
)
def test_any_header_is_no_server_error(headers: dict[str, str], path: str, site: Site) -> None:
    """Any header value is accepted or refused, and does not add a response header."""
    sent = {name: value.encode("latin-1").strip() for name, value in headers.items()}
    body = encoded(BODIES[path]) if path in BODIES else b""
    response = site.send("POST" if body else "GET", path, content=body, headers=sent)

    check(response)
    assert all("\r" not in value and "\n" not in value for value in response.headers.values())


@given(
    prompt=st.text(max_size=40).filter(lambda text: "/" not in text),
    model=TEXTS,
    extra=st.sampled_from(["", "&stream=x", "&on_disconnect=grace=1e9", "&prompt=", "&x[]=1"]),
)
def test_any_query_is_no_server_error(prompt: str, model: str, extra: str, site: Site) -> None:
    """Any query of an ``EventSource`` is accepted, or refused with a code."""
    check(site.send("GET", f"/api/stream?prompt={quote(prompt)}{extra}"))
    check(site.send("GET", f"/api/stream?prompt=x&model={quote(model)}"))
    check(site.send("GET", f"/api/stream?prompt=x&messageId={quote(model)}"))
