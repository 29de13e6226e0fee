"""The validators of ``test_legal`` refuse invalid requests."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tests.dialects import provider_types

USE = {"type": "tool_use", "id": "c", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "c"}
TEXT = {"type": "text", "text": "x"}
TOOLS = [{"name": "f", "input_schema": {"type": "object"}}]
SCHEMA = {"json": {"type": "object"}}


def message(*turns: Any, **more: Any) -> Any:
    """Return a Messages request with these turns, alternately of user and assistant."""
    roles = ["user", "assistant"] * len(turns)
    messages = [{"role": r, "content": list(c)} for r, c in zip(roles, turns, strict=False)]
    return {"model": "m", "max_tokens": 1, "stream": True, "messages": messages, **more}


def converse(*contents: Any, **more: Any) -> Any:
    """Return a Converse request with these turns, alternately of user and assistant."""
    roles = ["user", "assistant"] * len(contents)
    turns = [{"role": r, "content": list(c)} for r, c in zip(roles, contents, strict=False)]
    return {"messages": turns, **more}


def test_legal_ones_pass() -> None:
    """Valid requests are accepted."""
    provider_types.anthropic(message([TEXT], [USE], [RESULT], tools=TOOLS, temperature=1))
    tool = {"toolSpec": {"name": "f", "inputSchema": SCHEMA}}
    call = {"toolUse": {"toolUseId": "c", "name": "f", "input": {}}}
    result = {"toolResult": {"toolUseId": "c", "content": [{"json": {}}]}}
    sent = converse([{"text": "x"}], [call], [result], toolConfig={"tools": [tool]})
    provider_types.converse(sent)
    provider_types.gemini({"contents": [{"role": "user", "parts": [{"text": "x"}]}]})


@pytest.mark.parametrize(
    "body",
    [
        message([TEXT], later=1),
        message([{**TEXT, "later": 1}]),
        message([{"type": "text"}]),
        message([{"type": "text", "text": 5}]),
        message([{"type": "text", "text": " "}]),
        message([]),
        message(),
        message([], [TEXT]),
        message([TEXT], [USE], [RESULT]),
        message([TEXT], [USE], tools=TOOLS),
        message([TEXT], [{**USE, "id": "a.b"}], [{**RESULT, "tool_use_id": "a.b"}], tools=TOOLS),
        message([TEXT, RESULT], tools=TOOLS),
        message([TEXT], [USE], [TEXT, RESULT], tools=TOOLS),
        message([TEXT], tool_choice={"type": "auto"}),
        message([TEXT], output_config={"format": {"type": "json_object"}}),
    ],
)
def test_anthropics_judge_refuses(body: Any) -> None:
    """Unknown fields, wrong types, blanks, calls without results, ids, a choice without tools."""
    with pytest.raises((AssertionError, KeyError)):
        provider_types.anthropic(body)


@pytest.mark.parametrize(
    "body",
    [
        converse([{"text": "x"}], later=1),
        converse([{"text": ""}]),
        converse([{"text": "x", "image": {}}]),
        converse([{"image": {"format": "bmp", "source": {"bytes": "x"}}}]),
        converse([{"text": "x"}], inferenceConfig={"temperature": 1.5}),
        converse([{"text": "x"}], requestMetadata={"user": "\u00e9"}),
        converse([{"toolUse": {"toolUseId": "c", "name": "f", "input": {}}}]),
        converse([{"document": {"format": "txt", "name": "a", "source": {"text": "x"}}}]),
        converse(),
    ],
)
def test_bedrocks_judge_refuses(body: Any) -> None:
    """Unknown fields, blanks, two members of a union, what is out of range, a lone document."""
    with pytest.raises(AssertionError):
        provider_types.converse(body)


@pytest.mark.parametrize(
    "body",
    [
        {"contents": []},
        {"contents": [{"role": "user", "parts": []}]},
        {"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]},
        {"contents": [{"role": "user", "parts": [{"text": ""}]}]},
        {"contents": [{"role": "user", "parts": [{"later": 1}]}]},
        {"contents": [{"role": "user", "parts": [{"text": "x"}]}], "generationConfig": {"x": 1}},
    ],
)
def test_googles_judge_refuses(body: Any) -> None:
    """No contents, empty parts, unknown fields."""
    with pytest.raises((AssertionError, ValidationError)):
        provider_types.gemini(body)
