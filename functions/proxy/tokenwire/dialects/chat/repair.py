"""Correct a provider's chunks to the published schema, with usage once, at the end.

Compatible servers omit ids and indexes, use finish reasons of their own, or send running totals
of usage in every chunk. Strictly typed clients reject the first; clients that add up usage count
the last several times.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

from ...sse import data_of
from ..protocol import JSON
from ..reading import read_object

OBJECT = "chat.completion.chunk"
Reason = Literal["stop", "length", "tool_calls", "content_filter", "function_call"]
_REASONS: dict[str, str | None] = {
    "": None,
    "model_length": "length",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "tool_call": "tool_calls",
    "safety": "content_filter",
    "refusal": "content_filter",
    **{reason: reason for reason in get_args(Reason)},
}


def reason_of(reason: str | None, *, has_calls: bool) -> str | None:
    """Return OpenAI's finish reason. An unknown one becomes ``tool_calls`` or ``stop``."""
    if reason is None:
        return None
    return _REASONS.get(reason.lower(), "tool_calls" if has_calls else "stop")


class Call(Struct):
    """A piece of a tool call."""

    index: int


class Delta(Struct):
    """A piece of an answer."""

    content: str | None = None
    tool_calls: list[Call] | None = None


class _Choice(Struct):
    index: int
    delta: Delta
    finish_reason: Reason | None


class _Usage(Struct):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class _Chunk(Struct):
    """The fields that OpenAI's schema requires of a chunk."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[_Choice]
    usage: _Usage | None = None


_CHUNK = msgspec.json.Decoder(_Chunk)


class ChatRepair:
    """State of one stream's repair: the chunk header, the calls and the usage."""

    def __init__(self) -> None:
        self._head: JSON = {"id": None, "object": OBJECT, "created": 0, "model": ""}
        # Position of each call by its id, per choice, in order of arrival.
        self._calls: dict[int, dict[str, int]] = {}
        self._usage: bytes | None = None

    def block(self, block: bytes) -> bytes:
        """Return the block to log: unchanged if it is valid, empty if it only holds usage.

        Raises:
            UpstreamError: The block is not a JSON object (``upstream_malformed``).
        """
        data = data_of(block) or b"{}"
        try:
            chunk = _CHUNK.decode(data)
        except (ValueError, RecursionError):
            return self._repaired(read_object(data))
        self._head |= {"id": chunk.id, "created": chunk.created, "model": chunk.model}
        for choice in chunk.choices:
            if choice.delta.tool_calls:
                self._calls.setdefault(choice.index, {})
        if chunk.usage is None:
            return block
        if chunk.choices:
            return self._repaired(read_object(data))
        self._usage = block
        return b""

    def rest(self) -> list[bytes]:
        """Return the usage chunk, if there was usage. It is logged before the terminator."""
        return [] if self._usage is None else [self._usage]

    def _repaired(self, body: JSON) -> bytes:
        head = {**self._head, **{k: v for k in self._head if _is_valid(k, v := body.get(k))}}
        head["id"] = head["id"] or body.get("id") or f"chatcmpl-{secrets.token_urlsafe(12)}"
        self._head = head = {**head, "id": str(head["id"])}
        usage, choices = body.get("usage"), body.get("choices") or []
        if isinstance(usage, dict) and usage:
            self._usage = _block({**head, "choices": [], "usage": _counts(usage)})
            if not choices:
                return b""
        body = {**body, **head, "usage": None}
        body["choices"] = [self._choice(number, choice) for number, choice in enumerate(choices)]
        return _block(body)

    def _choice(self, number: int, choice: JSON) -> JSON:
        index = choice.get("index")
        index = index if isinstance(index, int) else number
        delta = dict(choice.get("delta") or {})
        if isinstance(delta.get("content"), list):
            delta |= _texts(delta.pop("content"))
        if calls := delta.get("tool_calls"):
            delta["tool_calls"] = [self._call(index, call) for call in calls]
        reason = reason_of(choice.get("finish_reason"), has_calls=index in self._calls)
        return {**choice, "index": index, "delta": delta, "finish_reason": reason}

    def _call(self, choice: int, call: JSON) -> JSON:
        held, name = self._calls.setdefault(choice, {}), call.get("id")
        if isinstance(call.get("index"), int):
            return call
        # If the server omitted the index, a new id starts a new call.
        at = held.setdefault(name, len(held)) if isinstance(name, str) else len(held) - 1
        return {**call, "index": max(0, at)}


def _is_valid(key: str, value: object) -> bool:
    """Return whether a header field of a chunk has the right type."""
    if key == "object":
        return False
    return type(value) is (int if key == "created" else str)


def _texts(parts: list[Any]) -> JSON:
    """Return the text and the reasoning of a content list (Mistral), each as one string."""
    text = "".join(part_text(part) for part in parts)
    thoughts = [each for part in parts for each in _thoughts(part)]
    thought = "".join(part_text(each) for each in thoughts)
    content = {"content": text} if text or not thought else {}
    return {**content, **({"reasoning_content": thought} if thought else {})}


def part_text(part: object) -> str:
    """Return the text of a part of a content list; empty for other parts."""
    match part:
        case {"type": "text", "text": str(text)}:
            return text
        case _:
            return ""


def _thoughts(part: object) -> Iterator[object]:
    if isinstance(part, dict) and isinstance(thinking := part.get("thinking"), list):
        yield from thinking


def _counts(usage: JSON) -> JSON:
    counted = {key: value for key, value in usage.items() if value is not None}
    prompt, completion = (_count(usage.get(f"{of}_tokens")) for of in ("prompt", "completion"))
    total = _count(usage.get("total_tokens")) or prompt + completion
    return {
        **counted,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": total,
    }


def _count(value: object) -> int:
    try:
        return int(value) if isinstance(value, int | float | str) else 0
    except (ValueError, OverflowError):
        return 0


def _block(body: JSON) -> bytes:
    return b"data: " + msgspec.json.encode(body) + b"\n\n"
