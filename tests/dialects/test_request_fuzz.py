"""Almost valid bodies: every error is a ClientError that names a field of the caller."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.dialects.test_client_requests import every_kind, recorded
from tests.dialects.test_translation import CHAT, MESSAGES
from tokenwire.dialects import DIALECTS
from tokenwire.dialects.chat.schema import Request
from tokenwire.dialects.schema import check
from tokenwire.errors import ClientError
from tokenwire.gateway.catalog import Route
from tokenwire.gateway.prepare import candidate

UI = {
    "id": "c",
    "system": "s",
    "messages": [
        {
            "id": "1",
            "role": "user",
            "parts": [
                {"type": "text", "text": "x"},
                {"type": "file", "mediaType": "image/png", "url": "data:image/png;base64,aaaa"},
            ],
        },
        {
            "id": "2",
            "role": "assistant",
            "parts": [
                {"type": "step-start"},
                {"type": "reasoning", "text": "hm"},
                {
                    "type": "tool-f",
                    "toolCallId": "c1",
                    "state": "output-available",
                    "input": {"a": 1},
                    "output": {"b": 2},
                },
                {"type": "dynamic-tool", "toolName": "g", "toolCallId": "c2", "input": {}},
                {"type": "data-x", "data": 1},
            ],
        },
    ],
}
EVENTS = {**CHAT, "system": "s", "on_disconnect": "cancel"}
EVENTS.pop("user")
RICH = [("chat", CHAT), ("messages", MESSAGES), ("ui", UI), ("events", EVENTS)]
BASES = [*RICH, *((dialect, {**body, "model": "m"}) for _, dialect, body in recorded())]
KINDS = every_kind()

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.just(10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", "x", "auto", "user", "tool", "text", "function", "https://a.test/x", "{"]),
    st.text(max_size=5),
    # What is taken from the end of a list is not there in an empty one.
    st.sampled_from([list, dict]).map(lambda make: make()),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["type", "role", "content", "text", "name", "id", "x", "input"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in the body."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in inner:
        yield (*path, key)
        if isinstance(one, dict | list):
            yield from places(one, (*path, key))


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Draw a real request with up to three values changed, removed or duplicated."""
    dialect, base = draw(st.sampled_from(BASES))
    body = copy.deepcopy(base)
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(sorted(places(body), key=str)))
        parent = body
        for step in path:
            parent = parent[step]
        match draw(st.sampled_from(["change", "change", "remove", "repeat"])):
            case "change":
                parent[last] = draw(VALUES)
            case "remove":
                del parent[last]
            case _ if isinstance(parent, list):
                parent.append(copy.deepcopy(parent[last]))
        if not body:
            break
    return dialect, body


def stands(param: str, body: Any) -> bool:
    """Return whether the path is in the body, or is a field that could be added there."""
    steps = re.findall(r"[^.\[\]]+|\[\d+\]", param)
    for step in steps[:-1]:
        try:
            body = body[int(step[1:-1])] if step.startswith("[") else body[step]
        except (KeyError, IndexError, TypeError):
            return False
    last = steps[-1]
    if last.startswith("["):
        return isinstance(body, list) and int(last[1:-1]) < len(body)
    return isinstance(body, dict)


def put(dialect: str, body: dict[str, Any]) -> None:
    """Parse the body and translate it for every kind of provider."""
    request = DIALECTS[dialect].parse(body)
    for name, provider in KINDS.items():
        try:
            candidate(
                DIALECTS, Route(provider, "anthropic.claude" if name == "bedrock" else "m"), request
            )
        except ClientError as error:
            assert_clear(error, body)
    chat = DIALECTS[request.dialect].to_chat(request.body)
    check(chat, Request)
    msgspec.json.encode(chat)


def assert_clear(error: ClientError, body: dict[str, Any]) -> None:
    """The error is a ClientError with a field."""
    assert error.status in (400, 404, 413)
    assert error.param, error.message
    assert stands(error.param, body), (error.param, error.message)
    assert error.code in {
        "invalid_type",
        "invalid_value",
        "missing_required_parameter",
        "unknown_parameter",
        "unsupported_parameter",
        "thread_unsupported_request",
    }


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
EMPTY_BEFORE_A_RESULT = {
    "model": "m",
    "messages": [
        {"role": "user", "content": "x"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "user", "content": []},
        {"role": "tool", "tool_call_id": "c", "content": "y"},
    ],
}


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(bodies())
@example(("chat", EMPTY_BEFORE_A_RESULT))
def test_nearly_right_bodies(case: tuple[str, dict[str, Any]]) -> None:
    """No body raises anything but a ClientError with the path of a field in it."""
    dialect, body = case
    try:
        put(dialect, body)
    except ClientError as error:
        assert_clear(error, body)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(DIALECTS)), VALUES)
def test_any_json(dialect: str, body: Any) -> None:
    """Any other JSON is refused too; a value that is not an object has no field."""
    with pytest.raises(ClientError) as caught:
        DIALECTS[dialect].parse(body)
    assert (caught.value.param is None) == (not isinstance(body, dict))
