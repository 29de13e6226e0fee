"""A Messages request as one of Bedrock's Converse."""

from __future__ import annotations

from typing import Any

from . import carry
from .protocol import JSON

# fmt: off
_FIELDS = frozenset([
    "model", "max_tokens", "messages", "system", "stream", "stop_sequences", "temperature",
    "top_p", "tools", "tool_choice", "metadata", "cache_control", "top_k", "thinking",
    "output_config",
])
# fmt: on
# What only Anthropic's models know, and Converse hands on to them.
_ANTHROPICS = ("top_k", "thinking", "output_config")


def request(body: JSON, model: str) -> JSON:
    """The body, translated.

    Raises:
        ClientError: A field is malformed, or cannot be said in Converse; ``param`` names it.
    """
    carry.only(body, _FIELDS, silent={"service_tier": ("auto", "standard_only")})
    messages = enumerate(carry.a_list(body["messages"], "messages"))
    turns = [_turn(message, f"messages[{n}]") for n, message in messages]
    found: JSON = {"messages": turns, "inferenceConfig": _limits(body)}
    if system := carry.parts(body.get("system"), "system"):
        found["system"] = [_block(part, at) for at, part in system]
    if user := (body.get("metadata") or {}).get("user_id"):
        found["requestMetadata"] = {"user_id": user}
    extra = {name: body[name] for name in _ANTHROPICS if body.get(name) is not None}
    if extra and "anthropic" not in model:
        raise carry.refuse(next(iter(extra)))
    return {**found, **_tools(body), **({"additionalModelRequestFields": extra} if extra else {})}


def _limits(body: JSON) -> JSON:
    names = {
        "maxTokens": "max_tokens",
        "temperature": "temperature",
        "topP": "top_p",
        "stopSequences": "stop_sequences",
    }
    return {ours: body[name] for ours, name in names.items() if body.get(name) is not None}


def _turn(message: JSON, at: str) -> JSON:
    if message["role"] == "system":
        raise carry.refuse(f"{at}.role")
    parts = carry.parts(message.get("content"), f"{at}.content")
    return {"role": message["role"], "content": [_block(part, where) for where, part in parts]}


def _block(part: JSON, at: str) -> JSON:
    match part.get("type"):
        case "text":
            return {"text": carry.a_text(part.get("text"), f"{at}.text")}
        case "image":
            return {"image": _image(carry.an_object(part.get("source"), f"{at}.source"), at)}
        case "document":
            return {"document": _document(part, at)}
        case "tool_use":
            call = {"toolUseId": part.get("id"), "name": part.get("name")}
            return {"toolUse": {**call, "input": part.get("input") or {}}}
        case "tool_result":
            return {"toolResult": _result(part, at)}
        case "thinking":
            said = {"text": part.get("thinking"), "signature": part.get("signature")}
            return {"reasoningContent": {"reasoningText": said}}
        case "redacted_thinking":
            return {"reasoningContent": {"redactedContent": part.get("data")}}
        case _:
            raise carry.refuse(f"{at}.type")


def _image(source: JSON, at: str) -> JSON:
    if source.get("type") != "base64":
        raise carry.refuse(f"{at}.source.type", "must be base64: Bedrock fetches nothing")
    kind = carry.a_text(source.get("media_type"), f"{at}.source.media_type")
    return {"format": kind.removeprefix("image/"), "source": {"bytes": source.get("data")}}


def _document(part: JSON, at: str) -> JSON:
    source = carry.an_object(part.get("source"), f"{at}.source")
    if source.get("type") != "base64":
        raise carry.refuse(f"{at}.source.type")
    # Bedrock takes letters, digits, spaces and a few signs.
    name = "".join(
        c if c.isalnum() or c in " -()[]" else " " for c in part.get("title") or "document"
    )
    return {
        "format": "pdf",
        "name": " ".join(name.split()),
        "source": {"bytes": source.get("data")},
    }


def _result(part: JSON, at: str) -> JSON:
    inner = carry.parts(part.get("content"), f"{at}.content")
    status = "error" if part.get("is_error") else "success"
    content = [_block(piece, where) for where, piece in inner]
    return {"toolUseId": part.get("tool_use_id"), "content": content, "status": status}


def _tools(body: JSON) -> JSON:
    if not body.get("tools"):
        return {}
    tools = [
        _tool(carry.an_object(t, f"tools[{n}]"), f"tools[{n}]") for n, t in enumerate(body["tools"])
    ]
    choice: Any = body.get("tool_choice") or {"type": "auto"}
    if choice.get("disable_parallel_tool_use"):
        raise carry.refuse("tool_choice.disable_parallel_tool_use")
    match choice.get("type"):
        case "auto" | "any" as kind:
            return {"toolConfig": {"tools": tools, "toolChoice": {kind: {}}}}
        case "tool":
            wanted = {"tool": {"name": choice.get("name")}}
            return {"toolConfig": {"tools": tools, "toolChoice": wanted}}
        case _:
            raise carry.refuse("tool_choice.type")


def _tool(tool: JSON, at: str) -> JSON:
    if tool.get("type") not in (None, "custom"):
        raise carry.refuse(f"{at}.type")
    spec: JSON = {"name": tool.get("name"), "inputSchema": {"json": tool.get("input_schema")}}
    for name in ("description", "strict"):
        if tool.get(name) is not None:
            spec[name] = tool[name]
    return {"toolSpec": spec}
