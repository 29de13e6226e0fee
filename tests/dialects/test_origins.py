"""Errors about a translated request name the caller's field."""

from __future__ import annotations

from typing import Any

import pytest

from tokenwire.dialects import DIALECTS
from tokenwire.dialects.origins import caused_by, made, moved, origin
from tokenwire.errors import ClientError
from tokenwire.providers.anthropic import request as anthropic_request
from tokenwire.providers.messages_from_chat import from_chat

HTTP = "http://a.test/b.png"
AUDIO = {"type": "later"}


@pytest.mark.parametrize(
    ("param", "expected"),
    [
        ("temperature", "temperature"),
        ("max_tokens", "max_output_tokens"),
        ("messages[0].content", "instructions"),
        ("messages[1].content[0].text", "input[0].content[0]"),
        ("messages[1].content[0].image_url.url", "input[0].content[0].image_url"),
        ("messages[2].content[0].text", "items[4].content[0].text"),
        ("messages[9].content", "messages[9].content"),
    ],
)
def test_nearest_noted_part_is_named(param: str, expected: str) -> None:
    """The nearest recorded source is used, with the rest of the path if names are the same."""
    at = "input[0].content[0]"
    body = made(
        "",
        {
            "max_tokens": 1,
            "messages": [
                made("instructions", {"content": "x"}),
                made("input[0]", {"content": [made(at, {}, image_url=f"{at}.image_url")]}),
                moved("items[4]", {"content": [{"text": "x"}]}),
            ],
        },
        max_tokens="max_output_tokens",
    )
    assert origin(body, param) == expected


def from_caller(dialect: str, body: dict[str, Any]) -> Any:
    """Translate the caller's body to ``messages`` via ``chat``."""
    found = DIALECTS[dialect]
    request = found.parse({"model": "m", **body})
    chat = DIALECTS[request.dialect].to_chat(request.body)
    with caused_by(chat):
        messages = from_chat(chat, "m")
        with caused_by(messages):
            return anthropic_request.request(messages, "m")


def turns(*content: Any) -> list[Any]:
    """A user's turns."""
    return [{"role": "user", "content": one} for one in content]


@pytest.mark.parametrize(
    ("dialect", "body", "param"),
    [
        ("responses", {"instructions": "s", "input": "x", "temperature": 1.5}, "temperature"),
        (
            "responses",
            {"input": "x", "reasoning": {"effort": "x"}},
            "reasoning.effort",
        ),
        (
            "responses",
            {"input": "x", "text": {"format": {"type": "json_object"}}},
            "text.format",
        ),
        (
            "responses",
            {
                "instructions": "s",
                "input": [
                    {"role": "user", "content": "x"},
                    {"type": "reasoning", "summary": []},
                    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "["},
                ],
            },
            "input[2].arguments",
        ),
        (
            "responses",
            {
                "instructions": "s",
                "input": turns([{"type": "input_file", "file_data": "x"}]),
            },
            "input[0].content[0].file_data",
        ),
        (
            "events",
            {
                "system": "s",
                "messages": turns("x", [{"type": "image_url", "image_url": {"url": HTTP}}]),
            },
            "messages[1].content[0].image_url.url",
        ),
        ("events", {"system": "s", "messages": turns([AUDIO])}, "messages[0].content[0].type"),
        (
            "ui",
            {
                "system": "s",
                "messages": [
                    {
                        "role": "assistant",
                        "parts": [{"type": "tool-f", "toolCallId": "c", "input": "x"}],
                    }
                ],
            },
            "messages[0].parts[0].input",
        ),
    ],
)
def test_refusal_names_the_callers_field(dialect: str, body: dict[str, Any], param: str) -> None:
    """A second translation reports the caller's fields, not those of the first translation."""
    with pytest.raises(ClientError) as caught:
        from_caller(dialect, body)
    assert caught.value.param == param
    assert caught.value.message.startswith(param)


def test_error_without_field_passes() -> None:
    """An error about an untranslated request is unchanged."""
    error = ClientError("No.")
    with pytest.raises(ClientError) as caught, caused_by(made("", {})):
        raise error
    assert caught.value is error
