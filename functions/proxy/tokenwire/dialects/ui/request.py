"""Translate a request of ``useChat`` to Chat Completions.

The body has been validated against ``ui.schema``; any remaining error is a field without a
counterpart.
"""

from __future__ import annotations

from typing import Any

import msgspec

from .. import carry
from ..checks import valid_name
from ..origins import made
from ..protocol import JSON, ParsedRequest
from ..schema import check
from .schema import Request

# fmt: off
_PASSED = ("temperature", "top_p", "max_tokens", "stop", "tools", "tool_choice",
           "parallel_tool_calls", "reasoning_effort", "response_format")
FIELDS = carry.Fields(
    carried=["messages", "model", "system", *_PASSED],
    no_effect=["id", "trigger", "messageId", "metadata"],
)
# Parts that only the page uses.
_SHOWN = ("reasoning", "step-start", "source-url", "source-document")
# fmt: on


def to_chat(body: JSON) -> JSON:
    """Return the body, translated.

    Raises:
        ClientError: A field is malformed or has no counterpart in ``chat``; ``param`` names it.
    """
    FIELDS.check(body)
    messages: list[JSON] = []
    if body.get("system"):
        messages.append(made("system", {"role": "system", "content": body["system"]}))
    for number, message in enumerate(body["messages"]):
        messages += _message(message, f"messages[{number}]")
    passed = carry.set_of(body, _PASSED)
    return made("", {**passed, "model": body.get("model") or "", "messages": messages})


def _message(message: JSON, at: str) -> list[JSON]:
    role = message["role"]
    parts = carry.parts(message["parts"], f"{at}.parts")
    if role == "assistant":
        return _assistant(parts, at)
    content = [found for where, part in parts if (found := _part(part, where)) is not None]
    if all(part["type"] == "text" for part in content):
        text = "".join(part["text"] for part in content)
        return [made(at, {"role": role, "content": text}, content=f"{at}.parts")]
    return [made(at, {"role": role, "content": content}, content=f"{at}.parts")]


def _part(part: JSON, at: str) -> JSON | None:
    kind = part["type"]
    if kind == "text":
        return made(at, {"type": "text", "text": part["text"]}, text=f"{at}.text")
    if kind == "file":
        return _file(part, at)
    if kind.startswith("data-") or kind in _SHOWN:
        return None
    raise carry.refuse(f"{at}.type")


def _file(part: JSON, at: str) -> JSON:
    url, where = part["url"], f"{at}.url"
    if part["mediaType"].startswith("image/"):
        if carry.data_url(url) is None:
            carry.web_url(url, where)
        return made(at, {"type": "image_url", "image_url": {"url": url}}, image_url=where)
    if carry.data_url(url) is None:
        raise carry.malformed(where, "a base64 data URL")
    name = part.get("filename") or "file"
    return made(at, {"type": "file", "file": {"filename": name, "file_data": url}}, file=where)


def _assistant(parts: list[tuple[str, JSON]], turn: str) -> list[JSON]:
    """Return the assistant message, followed by the results of its tool calls."""
    texts: list[str] = []
    calls: list[JSON] = []
    results: list[JSON] = []
    for at, part in parts:
        kind = part["type"]
        if kind == "text":
            texts.append(part["text"])
        elif kind.startswith("tool-") or kind == "dynamic-tool":
            call, result = _tool(part, kind, at)
            calls.append(call)
            results += result
        elif not kind.startswith("data-") and kind not in _SHOWN:
            raise carry.refuse(f"{at}.type")
    message: JSON = {"role": "assistant", "content": "".join(texts) or None}
    message |= {"tool_calls": calls} if calls else {}
    return [made(turn, message, content=f"{turn}.parts"), *results]


def _tool(part: JSON, kind: str, at: str) -> tuple[JSON, list[JSON]]:
    name = part["toolName"] if kind == "dynamic-tool" else kind.removeprefix("tool-")
    call_id, where = part["toolCallId"], f"{at}.toolCallId"
    function = {"name": name, "arguments": _json(part.get("input") or {})}
    function = made(at, function, arguments=f"{at}.input")
    call = made(at, {"id": call_id, "type": "function", "function": function}, id=where)
    content: Any
    match part.get("state"):
        case "output-available":
            output = part.get("output")
            content = output if isinstance(output, str) else _json(output)
        case "output-error":
            content = f"Error: {part.get('errorText')}"
        case _:
            return call, []
    result = {"role": "tool", "tool_call_id": call_id, "content": content}
    return call, [made(at, result, tool_call_id=where, content=f"{at}.output")]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def parse(raw: object) -> ParsedRequest:
    """Validate a request body against ``ui.schema``; the answer is always streamed.

    Raises:
        ClientError: A field is missing or malformed; ``param`` names it.
    """
    body = check(raw, Request)
    if isinstance(chat_id := body.get("id"), str):
        valid_name(chat_id, "id")
    return ParsedRequest(model=body.get("model") or "", stream=True, body=body, dialect="ui")
