"""Translate a Messages request to Chat Completions, for providers that speak ``chat``.

The body has been validated against ``messages.schema``; any remaining error is a field without a
counterpart.
"""

from __future__ import annotations

from typing import Any

import msgspec

from .. import carry, signatures
from ..origins import made
from ..protocol import JSON, ParsedRequest
from ..schema import check
from .schema import Request

NO_EFFECT = ("cache_control", "service_tier", "speed", "diagnostics")
"""Fields that do not change the answer of a provider without a counterpart."""

# fmt: off
FIELDS = carry.Fields(
    carried=[
        "model", "messages", "max_tokens", "system", "stream", "stop_sequences", "temperature",
        "top_p", "tools", "tool_choice", "thinking", "output_config", "metadata",
    ],
    no_effect=NO_EFFECT,
)
# fmt: on
_RENAMED = {
    "max_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "stop_sequences": "stop",
}
_ORIGINS = {
    "stop": "stop_sequences",
    "parallel_tool_calls": "tool_choice.disable_parallel_tool_use",
    "response_format": "output_config.format",
    "user": "metadata.user_id",
    "tool_choice": "tool_choice",
}
# Another provider cannot use earlier thinking, except for Google's signatures.
_OMITTED = frozenset({"thinking", "redacted_thinking"})
_EFFORTS = {"low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "xhigh"}
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def to_chat(body: JSON) -> JSON:
    """Return the body, translated.

    Raises:
        ClientError: A field has no counterpart in ``chat``; ``param`` names it.
    """
    FIELDS.check(body)
    found: JSON = {"model": body["model"], "messages": _messages(body)}
    for name, ours in _RENAMED.items():
        if body.get(name) is not None:
            found[ours] = body[name]
    effort = "output_config.effort" if carry.given(body, "output_config", "effort") else "thinking"
    found |= {**_tools(body), **_reasoning(body), **_user(body)}
    return made("", found, **_ORIGINS, reasoning_effort=effort)


def _messages(body: JSON) -> list[JSON]:
    found: list[JSON] = []
    if body.get("system"):
        found.append(_system(carry.parts(body["system"], "system"), "system"))
    for number, message in enumerate(body["messages"]):
        at = f"messages[{number}]"
        parts = carry.parts(message["content"], f"{at}.content")
        match message["role"]:
            case "system":
                found.append(_system(parts, at))
            case "assistant":
                found.append(_assistant(parts, at))
            case _:
                found += _user_turn(parts, at)
    return found


def _system(parts: list[tuple[str, JSON]], at: str) -> JSON:
    texts = [carry.text_of(part, where) for where, part in parts]
    return made(at, {"role": "system", "content": "\n\n".join(texts)})


def _user_turn(parts: list[tuple[str, JSON]], at: str) -> list[JSON]:
    """Return the messages of a user turn: tool results are separate messages and come first."""
    results = [_result(part, where) for where, part in parts if part["type"] == "tool_result"]
    rest = [_part(part, where) for where, part in parts if part["type"] != "tool_result"]
    if len(rest) == 1 and rest[0]["type"] == "text":
        return [*results, made(at, {"role": "user", "content": rest[0]["text"]})]
    turn = made(at, {"role": "user", "content": rest})
    return [*results, turn] if rest or not results else results


def _assistant(parts: list[tuple[str, JSON]], at: str) -> JSON:
    texts, calls = [], []
    signature: str | None = None
    for where, part in parts:
        match part["type"]:
            case "text":
                texts.append(part["text"])
            case "thinking":
                signature = signatures.of_google(part.get("signature")) or signature
            case "tool_use":
                calls.append(_call(part, where, signature))
                signature = None
            case kind if kind not in _OMITTED:
                raise carry.refuse(f"{where}.type")
    message: JSON = {"role": "assistant", "content": "".join(texts) or None}
    return made(at, message | ({"tool_calls": calls} if calls else {}))


def _call(part: JSON, at: str, signature: str | None) -> JSON:
    arguments = msgspec.json.encode(part["input"]).decode()
    function = {"name": part["name"], "arguments": arguments}
    call: JSON = {"id": part["id"], "type": "function", "function": function}
    if signature:
        call["extra_content"] = signatures.extra_content(signature)
    return made(at, call, id=f"{at}.id")


def _result(part: JSON, at: str) -> JSON:
    inner = carry.parts(part.get("content"), f"{at}.content")
    content: Any = [_part(piece, where) for where, piece in inner]
    if all(piece["type"] == "text" for piece in content):
        content = "".join(piece["text"] for piece in content)
    if part.get("is_error") and isinstance(content, str):
        content = f"Error: {content}"
    message = {"role": "tool", "tool_call_id": part["tool_use_id"], "content": content}
    return made(at, message, tool_call_id=f"{at}.tool_use_id", content=f"{at}.content")


def _part(part: JSON, at: str) -> JSON:
    match part["type"]:
        case "text":
            return made(at, {"type": "text", "text": part["text"]}, text=f"{at}.text")
        case "image":
            url = {"url": _source(part, at)}
            return made(at, {"type": "image_url", "image_url": url}, image_url=f"{at}.source")
        case "document":
            return _document(part, at)
        case _:
            raise carry.refuse(f"{at}.type")


def _document(part: JSON, at: str) -> JSON:
    source = part["source"]
    if carry.given(part, "citations", "enabled"):
        raise carry.refuse(f"{at}.citations")
    if source["type"] == "text":
        return made(at, {"type": "text", "text": source["data"]}, text=f"{at}.source.data")
    if source["type"] != "base64":
        raise carry.refuse(f"{at}.source.type")
    file = {"filename": part.get("title") or "document.pdf", "file_data": _source(part, at)}
    return made(at, {"type": "file", "file": file}, file=f"{at}.source")


def _source(part: JSON, at: str) -> str:
    source = part["source"]
    match source["type"]:
        case "base64":
            return f"data:{source['media_type']};base64,{source['data']}"
        case "url":
            return carry.web_url(source["url"], f"{at}.source.url")
        case _:
            raise carry.refuse(f"{at}.source.type")


def _tools(body: JSON) -> JSON:
    found: JSON = {}
    for number, tool in enumerate(body.get("tools") or ()):
        at = f"tools[{number}]"
        if tool.get("type") not in (None, "custom"):
            raise carry.refuse(f"{at}.type", "is a tool that only Anthropic runs")
        function = {"name": tool["name"], "parameters": tool["input_schema"]}
        function |= carry.set_of(tool, ("description", "strict"))
        found.setdefault("tools", []).append(made(at, {"type": "function", "function": function}))
    return found | (_choice(body["tool_choice"]) if body.get("tool_choice") else {})


def _choice(choice: JSON) -> JSON:
    alone = {"parallel_tool_calls": False} if choice.get("disable_parallel_tool_use") else {}
    if choice["type"] == "tool":
        function = {"name": choice["name"]}
        return {"tool_choice": {"type": "function", "function": function}, **alone}
    if choice["type"] not in _CHOICES:
        raise carry.refuse("tool_choice.type")
    return {"tool_choice": _CHOICES[choice["type"]], **alone}


def _reasoning(body: JSON) -> JSON:
    found: JSON = {}
    if budget := (body.get("thinking") or {}).get("budget_tokens"):
        found["reasoning_effort"] = (
            "low" if budget < 4096 else "medium" if budget < 16384 else "high"
        )
    config = body.get("output_config") or {}
    carry.only(config, ("effort", "format"), "output_config")
    if effort := config.get("effort"):
        if effort not in _EFFORTS:
            raise carry.malformed("output_config.effort", f"one of {', '.join(_EFFORTS)}")
        found["reasoning_effort"] = _EFFORTS[effort]
    if form := config.get("format"):
        if form["type"] != "json_schema":
            raise carry.refuse("output_config.format.type")
        schema = {"name": "answer", "schema": form["schema"], "strict": True}
        found["response_format"] = {"type": "json_schema", "json_schema": schema}
    return found


def _user(body: JSON) -> JSON:
    user = (body.get("metadata") or {}).get("user_id")
    return {"user": user} if user else {}


def parse(raw: object) -> ParsedRequest:
    """Validate a request body against ``messages.schema``.

    Raises:
        ClientError: A field is missing or malformed; ``param`` names it.
    """
    body = check(raw, Request)
    stream = bool(body.get("stream"))
    return ParsedRequest(model=body["model"], stream=stream, body=body, dialect="messages")
