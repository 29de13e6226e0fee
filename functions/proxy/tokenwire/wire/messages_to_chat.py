"""A Messages request as one of Chat Completions: for providers that speak ``chat``."""

from __future__ import annotations

from typing import Any

import msgspec

from . import carry
from .protocol import JSON

# fmt: off
_FIELDS = frozenset([
    "model", "messages", "max_tokens", "system", "stream", "stop_sequences", "temperature",
    "top_p", "tools", "tool_choice", "thinking", "output_config", "metadata", "cache_control",
])
# fmt: on
# Thinking of earlier turns, and hints for a cache, mean nothing to another provider.
_LEFT_OUT = frozenset({"thinking", "redacted_thinking"})
_EFFORTS = {"low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "xhigh"}
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def to_chat(body: JSON) -> JSON:
    """The body, translated.

    Raises:
        ClientError: A field is malformed, or cannot be said in ``chat``; ``param`` names it.
    """
    carry.only(body, _FIELDS, silent={"service_tier": ("auto", "standard_only")})
    found: JSON = {"model": body["model"], "messages": _messages(body)}
    for name, ours in (
        ("max_tokens", "max_tokens"),
        ("temperature", "temperature"),
        ("top_p", "top_p"),
        ("stop_sequences", "stop"),
    ):
        if body.get(name) is not None:
            found[ours] = body[name]
    return {**found, **_tools(body), **_reasoning(body), **_user(body)}


def _messages(body: JSON) -> list[JSON]:
    found: list[JSON] = []
    if body.get("system"):
        found.append(_system(carry.parts(body["system"], "system")))
    for number, message in enumerate(carry.a_list(body["messages"], "messages")):
        at = f"messages[{number}]"
        said = carry.parts(message.get("content"), f"{at}.content")
        match message["role"]:
            case "system":
                found.append(_system(said))
            case "assistant":
                found += _assistant(said)
            case _:
                found += _user_turn(said)
    return found


def _system(said: list[tuple[str, JSON]]) -> JSON:
    texts = [_text(part, at) for at, part in said]
    return {"role": "system", "content": "\n\n".join(texts)}


def _user_turn(said: list[tuple[str, JSON]]) -> list[JSON]:
    """Tool results are messages of their own, and come first."""
    results = [_result(part, at) for at, part in said if part.get("type") == "tool_result"]
    rest = [_part(part, at) for at, part in said if part.get("type") != "tool_result"]
    if len(rest) == 1 and rest[0]["type"] == "text":
        return [*results, {"role": "user", "content": rest[0]["text"]}]
    return [*results, {"role": "user", "content": rest}] if rest else results


def _assistant(said: list[tuple[str, JSON]]) -> list[JSON]:
    texts, calls = [], []
    for at, part in said:
        match part.get("type"):
            case "text":
                texts.append(_text(part, at))
            case "tool_use":
                calls.append(_call(part, at))
            case kind if kind not in _LEFT_OUT:
                raise carry.refuse(f"{at}.type")
    message: JSON = {"role": "assistant", "content": "".join(texts) or None}
    return [message | ({"tool_calls": calls} if calls else {})]


def _call(part: JSON, at: str) -> JSON:
    arguments = msgspec.json.encode(part.get("input") or {}).decode()
    name = carry.a_text(part.get("name"), f"{at}.name")
    function = {"name": name, "arguments": arguments}
    return {
        "id": carry.a_text(part.get("id"), f"{at}.id"),
        "type": "function",
        "function": function,
    }


def _result(part: JSON, at: str) -> JSON:
    inner = carry.parts(part.get("content"), f"{at}.content")
    content: Any = [_part(piece, where) for where, piece in inner]
    if all(piece["type"] == "text" for piece in content):
        content = "".join(piece["text"] for piece in content)
    if part.get("is_error") and isinstance(content, str):
        content = f"Error: {content}"
    call = carry.a_text(part.get("tool_use_id"), f"{at}.tool_use_id")
    return {"role": "tool", "tool_call_id": call, "content": content}


def _part(part: JSON, at: str) -> JSON:
    match part.get("type"):
        case "text":
            return {"type": "text", "text": _text(part, at)}
        case "image":
            return {"type": "image_url", "image_url": {"url": _source(part, at)}}
        case "document":
            return _document(part, at)
        case _:
            raise carry.refuse(f"{at}.type")


def _document(part: JSON, at: str) -> JSON:
    source = carry.an_object(part.get("source"), f"{at}.source")
    if (part.get("citations") or {}).get("enabled"):
        raise carry.refuse(f"{at}.citations")
    if source.get("type") == "text":
        return {"type": "text", "text": carry.a_text(source.get("data"), f"{at}.source.data")}
    if source.get("type") != "base64":
        raise carry.refuse(f"{at}.source.type")
    name = part.get("title") or "document.pdf"
    return {"type": "file", "file": {"filename": name, "file_data": _source(part, at)}}


def _source(part: JSON, at: str) -> str:
    source = carry.an_object(part.get("source"), f"{at}.source")
    match source.get("type"):
        case "base64":
            return f"data:{source.get('media_type')};base64,{source.get('data')}"
        case "url":
            return carry.web_url(str(source.get("url")), f"{at}.source.url")
        case _:
            raise carry.refuse(f"{at}.source.type")


def _text(part: JSON, at: str) -> str:
    if part.get("type") != "text":
        raise carry.refuse(f"{at}.type")
    return carry.a_text(part.get("text"), f"{at}.text")


def _tools(body: JSON) -> JSON:
    found: JSON = {}
    for number, tool in enumerate(body.get("tools") or ()):
        at = f"tools[{number}]"
        if carry.an_object(tool, at).get("type") not in (None, "custom"):
            raise carry.refuse(f"{at}.type", "is a tool that only Anthropic runs")
        function = {"name": tool.get("name"), "parameters": tool.get("input_schema")}
        for name in ("description", "strict"):
            if tool.get(name) is not None:
                function[name] = tool[name]
        found.setdefault("tools", []).append({"type": "function", "function": function})
    choice = body.get("tool_choice")
    return found | (_choice(carry.an_object(choice, "tool_choice")) if choice else {})


def _choice(choice: JSON) -> JSON:
    alone = {"parallel_tool_calls": False} if choice.get("disable_parallel_tool_use") else {}
    if choice.get("type") == "tool":
        return {
            "tool_choice": {"type": "function", "function": {"name": choice.get("name")}},
            **alone,
        }
    if choice.get("type") not in _CHOICES:
        raise carry.malformed("tool_choice.type", "auto, any, tool or none")
    return {"tool_choice": _CHOICES[choice["type"]], **alone}


def _reasoning(body: JSON) -> JSON:
    found: JSON = {}
    thinking = carry.an_object(body.get("thinking") or {}, "thinking")
    if budget := thinking.get("budget_tokens"):
        found["reasoning_effort"] = (
            "low" if budget < 4096 else "medium" if budget < 16384 else "high"
        )
    config = carry.an_object(body.get("output_config") or {}, "output_config")
    carry.only(config, ("effort", "format"), "output_config")
    if effort := config.get("effort"):
        if effort not in _EFFORTS:
            raise carry.malformed("output_config.effort", f"one of {', '.join(_EFFORTS)}")
        found["reasoning_effort"] = _EFFORTS[effort]
    if form := config.get("format"):
        schema = {"name": "answer", "schema": form.get("schema"), "strict": True}
        found["response_format"] = {"type": "json_schema", "json_schema": schema}
    return found


def _user(body: JSON) -> JSON:
    user = (body.get("metadata") or {}).get("user_id")
    return {"user": user} if user else {}
