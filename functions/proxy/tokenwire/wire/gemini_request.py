"""A Messages request as one of Gemini's native API."""

from __future__ import annotations

from typing import Any

from . import carry
from .protocol import JSON

# fmt: off
_FIELDS = frozenset([
    "model", "max_tokens", "messages", "system", "stream", "stop_sequences", "temperature",
    "top_p", "top_k", "tools", "tool_choice", "metadata", "cache_control", "thinking",
    "output_config",
])
# fmt: on
_LIMITS = {
    "maxOutputTokens": "max_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "stopSequences": "stop_sequences",
}
_LEVELS = {"low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
_MODES = {"auto": "AUTO", "any": "ANY", "none": "NONE", "tool": "ANY"}


def request(body: JSON) -> JSON:
    """The body, translated.

    Raises:
        ClientError: A field is malformed, or cannot be said there; ``param`` names it.
    """
    carry.only(body, _FIELDS, silent={"service_tier": ("auto", "standard_only")})
    names: dict[str, str] = {}
    contents = [
        _turn(message, f"messages[{number}]", names)
        for number, message in enumerate(carry.a_list(body["messages"], "messages"))
    ]
    found: JSON = {"contents": contents, "generationConfig": _config(body)}
    if system := carry.parts(body.get("system"), "system"):
        found["systemInstruction"] = {"parts": [_part(part, at, names) for at, part in system]}
    return {**found, **_tools(body)}


def _config(body: JSON) -> JSON:
    found = {ours: body[name] for ours, name in _LIMITS.items() if body.get(name) is not None}
    thinking: JSON = {"includeThoughts": True}
    said = carry.an_object(body.get("thinking") or {}, "thinking")
    if said.get("type") == "disabled":
        thinking = {"thinkingBudget": 0}
    elif said.get("budget_tokens"):
        thinking["thinkingBudget"] = said["budget_tokens"]
    output = carry.an_object(body.get("output_config") or {}, "output_config")
    carry.only(output, ("effort", "format"), "output_config")
    if effort := output.get("effort"):
        thinking["thinkingLevel"] = _LEVELS.get(effort, "high")
    if form := output.get("format"):
        found |= {"responseMimeType": "application/json", "responseJsonSchema": form.get("schema")}
    return {**found, "thinkingConfig": thinking}


def _turn(message: JSON, at: str, names: dict[str, str]) -> JSON:
    if message["role"] == "system":
        raise carry.refuse(f"{at}.role")
    parts = carry.parts(message.get("content"), f"{at}.content")
    role = "model" if message["role"] == "assistant" else "user"
    said = [_part(part, where, names) for where, part in parts]
    return {"role": role, "parts": [part for part in said if part]}


def _part(part: JSON, at: str, names: dict[str, str]) -> JSON:
    match part.get("type"):
        case "text":
            return {"text": carry.a_text(part.get("text"), f"{at}.text")}
        case "image" | "document":
            return _data(carry.an_object(part.get("source"), f"{at}.source"), at)
        case "tool_use":
            names[str(part.get("id"))] = str(part.get("name"))
            return {"functionCall": {"name": part.get("name"), "args": part.get("input") or {}}}
        case "tool_result":
            return _result(part, at, names)
        case "thinking" if part.get("signature"):
            signed = {"thoughtSignature": part["signature"]}
            return {"text": part.get("thinking") or "", "thought": True, **signed}
        case "thinking" | "redacted_thinking":
            return {}
        case _:
            raise carry.refuse(f"{at}.type")


def _data(source: JSON, at: str) -> JSON:
    if source.get("type") != "base64":
        raise carry.refuse(f"{at}.source.type")
    return {"inlineData": {"mimeType": source.get("media_type"), "data": source.get("data")}}


def _result(part: JSON, at: str, names: dict[str, str]) -> JSON:
    """Gemini knows calls by their function's name, so the call itself must be in the request."""
    call = carry.a_text(part.get("tool_use_id"), f"{at}.tool_use_id")
    if call not in names:
        raise carry.refuse(f"{at}.tool_use_id", "is of no call in these messages")
    texts: list[str] = []
    for where, piece in carry.parts(part.get("content"), f"{at}.content"):
        if piece.get("type") != "text":
            raise carry.refuse(f"{where}.type")
        texts.append(carry.a_text(piece.get("text"), f"{where}.text"))
    said = {"error" if part.get("is_error") else "result": "".join(texts)}
    return {"functionResponse": {"name": names[call], "response": said}}


def _tools(body: JSON) -> JSON:
    if not body.get("tools"):
        return {}
    declared: list[JSON] = []
    for number, tool in enumerate(body["tools"]):
        at = f"tools[{number}]"
        if carry.an_object(tool, at).get("type") not in (None, "custom"):
            raise carry.refuse(f"{at}.type")
        spec = {"name": tool.get("name"), "parametersJsonSchema": tool.get("input_schema")}
        described = {"description": tool["description"]} if tool.get("description") else {}
        declared.append({**spec, **described})
    choice: Any = body.get("tool_choice") or {"type": "auto"}
    if choice.get("disable_parallel_tool_use"):
        raise carry.refuse("tool_choice.disable_parallel_tool_use")
    if choice.get("type") not in _MODES:
        raise carry.malformed("tool_choice.type", "auto, any, tool or none")
    mode: JSON = {"mode": _MODES[choice["type"]]}
    if choice["type"] == "tool":
        mode["allowedFunctionNames"] = [choice.get("name")]
    tools = [{"functionDeclarations": declared}]
    return {"tools": tools, "toolConfig": {"functionCallingConfig": mode}}
