"""The response object: the request's own settings, and what has become of the answer."""

from __future__ import annotations

from typing import Any

from ...events import Error, Start, Usage
from ..protocol import JSON

# Every setting that the object has, with the value that holds where a request says nothing.
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
# Of OpenAI's published error codes those that say what ours mean. All others are its own fault.
_CODES = {429: "rate_limit_exceeded", 400: "invalid_prompt", 413: "invalid_prompt"}


def settings(request: JSON) -> JSON:
    """What a response repeats of its request, complete.

    Args:
        request: A valid request of the ``responses`` dialect; empty where it is not known.
    """
    said = {name: request.get(name) for name in _SETTINGS}
    found = {k: _SETTINGS[k] if value is None else value for k, value in said.items()}
    reasoning, text = request.get("reasoning") or {}, request.get("text") or {}
    found["reasoning"] = {"effort": None, "summary": None, **reasoning}
    found["text"] = {**text, "format": _format(text.get("format"))}
    found["tools"] = [_tool(tool) for tool in request.get("tools") or ()]
    if request.get("user") is not None:
        found["user"] = request["user"]
    return found


def _tool(tool: JSON) -> JSON:
    return {**_TOOL, **tool} if tool.get("type") == "function" else tool


def _format(said: Any) -> JSON:
    if not said:
        return {"type": "text"}
    return {**_SCHEMA, **said} if said.get("type") == "json_schema" else dict(said)


def usage(counted: Usage) -> JSON:
    """The counts."""
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
    """The error of a failed response, under one of the codes that OpenAI has published."""
    return {"code": _CODES.get(error.status, "server_error"), "message": error.message}


def response(start: Start, status: str, output: list[JSON]) -> JSON:
    """What changes with the answer. ``completed_at`` is not known: no log holds it."""
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
