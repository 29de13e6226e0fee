"""What ``useChat`` posts, as a Chat Completions request.

The body has been checked against ``schema.ui``: what is left to refuse has no counterpart.
"""

from __future__ import annotations

from typing import Any

import msgspec

from .. import carry
from ..origins import made
from ..protocol import JSON, ChatRequest
from ..schema import check
from .schema import Request

# fmt: off
_PASSED = ("temperature", "top_p", "max_tokens", "stop", "tools", "tool_choice",
           "parallel_tool_calls", "reasoning_effort", "response_format")
FIELDS = carry.Fields(
    carried=["messages", "model", "system", *_PASSED],
    no_effect=["id", "trigger", "messageId", "metadata"],
)
# Parts that show an answer, or belong to the page alone.
_SHOWN = ("reasoning", "step-start", "source-url", "source-document")
# fmt: on


def to_chat(body: JSON) -> JSON:
    """The body, translated.

    Raises:
        ClientError: A field is malformed, or cannot be said in ``chat``; ``param`` names it.
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
    said = carry.parts(message["parts"], f"{at}.parts")
    if role == "assistant":
        return _assistant(said, at)
    content = [found for where, part in said if (found := _part(part, where)) is not None]
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
        raise carry.malformed(where, "a data URL in base64")
    name = part.get("filename") or "file"
    return made(at, {"type": "file", "file": {"filename": name, "file_data": url}}, file=where)


def _assistant(said: list[tuple[str, JSON]], turn: str) -> list[JSON]:
    """The answer, and after it what its tools said."""
    texts: list[str] = []
    calls: list[JSON] = []
    results: list[JSON] = []
    for at, part in said:
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
    said: Any
    match part.get("state"):
        case "output-available":
            output = part.get("output")
            said = output if isinstance(output, str) else _json(output)
        case "output-error":
            said = f"Error: {part.get('errorText')}"
        case _:
            return call, []
    result = {"role": "tool", "tool_call_id": call_id, "content": said}
    return call, [made(at, result, tool_call_id=where, content=f"{at}.output")]


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def parse(raw: object) -> ChatRequest:
    """A request body, checked against ``schema.ui``; always for a stream.

    Raises:
        ClientError: A field is missing or malformed; ``param`` names it.
    """
    body = check(raw, Request)
    return ChatRequest(model=body.get("model") or "", stream=True, body=body, dialect="ui")
