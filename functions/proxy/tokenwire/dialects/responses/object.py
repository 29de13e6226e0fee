"""The response object: the settings of the request, and the state of the answer."""

from __future__ import annotations

from typing import Any

from ...events import Error, Start, Usage
from ..protocol import JSON

# Every setting of the object, with its default value.
_SETTINGS: JSON = {
    "background": False,
    "frequency_penalty": 0.0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
}
_TOOL: JSON = {"description": None, "parameters": None, "strict": None}
_SCHEMA: JSON = {"description": None, "strict": None}
# OpenAI's published error codes for client errors. Any other error is a server error.
_CODES = {429: "rate_limit_exceeded", 400: "invalid_prompt", 413: "invalid_prompt"}


def settings(request: JSON) -> JSON:
    """Return the settings that a response repeats from its request, with defaults.

    Args:
        request: A valid request of the ``responses`` dialect; empty if it is not known.
    """
    given = {name: request.get(name) for name in _SETTINGS}
    found = {k: _SETTINGS[k] if value is None else value for k, value in given.items()}
    reasoning, text = request.get("reasoning") or {}, request.get("text") or {}
    found["reasoning"] = {"effort": None, "summary": None, **reasoning}
    found["text"] = {**text, "format": _format(text.get("format"))}
    found["tools"] = [_tool(tool) for tool in request.get("tools") or ()]
    if request.get("user") is not None:
        found["user"] = request["user"]
    return found


def _tool(tool: JSON) -> JSON:
    return {**_TOOL, **tool} if tool.get("type") == "function" else tool


def _format(given: Any) -> JSON:
    if not given:
        return {"type": "text"}
    return {**_SCHEMA, **given} if given.get("type") == "json_schema" else dict(given)


def usage(counted: Usage) -> JSON:
    """Return the token counts."""
    return {
        "input_tokens": counted.input_tokens,
        "input_tokens_details": {
            "cached_tokens": counted.cached_tokens,
            "cache_write_tokens": counted.cache_write_tokens,
        },
        "output_tokens": counted.output_tokens,
        "output_tokens_details": {"reasoning_tokens": counted.reasoning_tokens},
        "total_tokens": counted.input_tokens + counted.output_tokens,
    }


def failure(error: Error) -> JSON:
    """Return the error of a failed response, with one of OpenAI's published codes."""
    return {"code": _CODES.get(error.status, "server_error"), "message": error.message}


def response(start: Start, status: str, output: list[JSON]) -> JSON:
    """Return the fields that change with the answer. ``completed_at`` is null: no log stores it."""
    return {
        "id": f"resp_{start.id.removeprefix('st_')}",
        "object": "response",
        "created_at": start.created,
        "completed_at": None,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": start.model,
        "output": output,
        "usage": None,
    }
