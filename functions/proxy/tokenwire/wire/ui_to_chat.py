"""What ``useChat`` posts, as a Chat Completions request."""

from __future__ import annotations

from typing import Any

import msgspec

from . import carry
from .protocol import JSON

# fmt: off
_PASSED = ("temperature", "top_p", "max_tokens", "stop", "tools", "tool_choice",
           "parallel_tool_calls", "reasoning_effort", "response_format")
_OWN = ("id", "messages", "trigger", "messageId", "model", "system", "metadata")
# Parts that show an answer, or belong to the page alone.
_SHOWN = ("reasoning", "step-start", "source-url", "source-document")
# fmt: on


def to_chat(body: JSON) -> JSON:
    """The body, translated.

    Raises:
        ClientError: A field is malformed, or cannot be said in ``chat``; ``param`` names it.
    """
    carry.only(body, (*_OWN, *_PASSED))
    messages: list[JSON] = []
    if body.get("system"):
        messages.append({"role": "system", "content": carry.a_text(body["system"], "system")})
    for number, message in enumerate(carry.a_list(body.get("messages"), "messages")):
        at = f"messages[{number}]"
        messages += _message(carry.an_object(message, at), at)
    passed = {name: body[name] for name in _PASSED if body.get(name) is not None}
    return {**passed, "model": body.get("model") or "", "messages": messages}


def _message(message: JSON, at: str) -> list[JSON]:
    role = message.get("role")
    said = carry.parts(message.get("parts"), f"{at}.parts")
    if role == "assistant":
        return _assistant(said)
    if role not in ("user", "system"):
        raise carry.malformed(f"{at}.role", "user, assistant or system")
    content = [found for where, part in said if (found := _part(part, where)) is not None]
    if all(part["type"] == "text" for part in content):
        return [{"role": role, "content": "".join(part["text"] for part in content)}]
    return [{"role": role, "content": content}]


def _part(part: JSON, at: str) -> JSON | None:
    kind = carry.a_text(part.get("type"), f"{at}.type")
    if kind == "text":
        return {"type": "text", "text": carry.a_text(part.get("text"), f"{at}.text")}
    if kind == "file":
        return _file(part, at)
    if kind.startswith("data-") or kind in _SHOWN:
        return None
    raise carry.refuse(f"{at}.type")


def _file(part: JSON, at: str) -> JSON:
    url = carry.a_text(part.get("url"), f"{at}.url")
    media = carry.a_text(part.get("mediaType"), f"{at}.mediaType")
    if media.startswith("image/"):
        if carry.data_url(url) is None:
            carry.web_url(url, f"{at}.url")
        return {"type": "image_url", "image_url": {"url": url}}
    if carry.data_url(url) is None:
        raise carry.malformed(f"{at}.url", "a data URL in base64")
    name = part.get("filename") or "file"
    return {"type": "file", "file": {"filename": name, "file_data": url}}


def _assistant(said: list[tuple[str, JSON]]) -> list[JSON]:
    """The answer, and after it what its tools said."""
    texts: list[str] = []
    calls: list[JSON] = []
    results: list[JSON] = []
    for at, part in said:
        kind = carry.a_text(part.get("type"), f"{at}.type")
        if kind == "text":
            texts.append(carry.a_text(part.get("text"), f"{at}.text"))
        elif kind.startswith("tool-") or kind == "dynamic-tool":
            call, result = _tool(part, kind, at)
            calls.append(call)
            results += result
        elif not kind.startswith("data-") and kind not in _SHOWN:
            raise carry.refuse(f"{at}.type")
    message: JSON = {"role": "assistant", "content": "".join(texts) or None}
    return [message | ({"tool_calls": calls} if calls else {}), *results]


def _tool(part: JSON, kind: str, at: str) -> tuple[JSON, list[JSON]]:
    name = part.get("toolName") if kind == "dynamic-tool" else kind.removeprefix("tool-")
    call_id = carry.a_text(part.get("toolCallId"), f"{at}.toolCallId")
    function = {"name": name, "arguments": _json(part.get("input") or {})}
    call: JSON = {"id": call_id, "type": "function", "function": function}
    said: Any
    match part.get("state"):
        case "output-available":
            output = part.get("output")
            said = output if isinstance(output, str) else _json(output)
        case "output-error":
            said = f"Error: {part.get('errorText')}"
        case _:
            return call, []
    return call, [{"role": "tool", "tool_call_id": call_id, "content": said}]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
