"""What the reference page says about request bodies that we read ourselves."""

from __future__ import annotations

from typing import Any

_MESSAGES: dict[str, Any] = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["role"],
        "properties": {"role": {"type": "string"}, "content": {}},
    },
}


def _body(schema: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


CHAT = _body(
    {
        "type": "object",
        "required": ["model", "messages"],
        "additionalProperties": True,
        "properties": {
            "model": {"type": "string"},
            "messages": _MESSAGES,
            "stream": {"type": "boolean", "default": False},
            "stream_options": {"type": "object"},
        },
    },
    {
        "model": "demo/markdown",
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
    },
)

MESSAGES = _body(
    {
        "type": "object",
        "required": ["model", "max_tokens", "messages"],
        "additionalProperties": True,
        "properties": {
            "model": {"type": "string"},
            "max_tokens": {"type": "integer"},
            "messages": _MESSAGES,
            "system": {},
            "stream": {"type": "boolean", "default": False},
        },
    },
    {
        "model": "demo/markdown",
        "max_tokens": 1024,
        "messages": [{"role": "user", "content": "Hello"}],
        "stream": True,
    },
)

RESPONSES = _body(
    {
        "type": "object",
        "required": ["model", "input"],
        "additionalProperties": True,
        "properties": {
            "model": {"type": "string"},
            "input": {},
            "instructions": {"type": "string"},
            "stream": {"type": "boolean", "default": False},
        },
    },
    {"model": "demo/markdown", "input": "Hello", "stream": True},
)

UI = _body(
    {
        "type": "object",
        "required": ["messages"],
        "additionalProperties": True,
        "properties": {
            "id": {"type": "string"},
            "messages": _MESSAGES,
            "model": {"type": "string"},
            "system": {"type": "string"},
        },
    },
    {
        "id": "chat-1",
        "messages": [
            {"id": "1", "role": "user", "parts": [{"type": "text", "text": "Hello"}]},
        ],
    },
)

TYPED = _body(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "message": {"type": "string", "description": "Or `messages`; one of the two."},
            "messages": _MESSAGES,
            "model": {"type": "string"},
            "system": {"type": "string"},
            "temperature": {"type": "number"},
            "top_p": {"type": "number"},
            "max_tokens": {"type": "integer"},
            "stop": {},
            "tools": {"type": "array", "items": {"type": "object"}},
            "tool_choice": {},
            "on_disconnect": {
                "type": "string",
                "description": "`cancel`, `continue`, or `grace=SECONDS`.",
                "default": "grace=30",
            },
        },
    },
    {"message": "Hello"},
)
