"""Convert a non-streaming Converse response to the events of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from ...dialects.protocol import JSON
from ...dialects.reading import read
from .events import Usage


class _ToolUse(Struct, rename="camel"):
    tool_use_id: str
    name: str
    input: Any = None


class _Text(Struct, rename="camel"):
    text: str = ""
    signature: str | None = None


class _Reasoning(Struct, rename="camel"):
    reasoning_text: _Text | None = None
    redacted_content: str | None = None


class _Block(Struct, rename="camel"):
    text: str | None = None
    tool_use: _ToolUse | None = None
    reasoning_content: _Reasoning | None = None


class _Message(Struct, rename="camel"):
    content: list[_Block]


class _Output(Struct, rename="camel"):
    message: _Message


class _Answer(Struct, rename="camel"):
    output: _Output
    stop_reason: str | None = None
    usage: Usage | None = None


_ANSWER = msgspec.json.Decoder(_Answer)


def events(document: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the type and the payload of each event.

    Raises:
        UpstreamError: The document is not a Converse response (``upstream_malformed``).
    """
    answer = read(document, _ANSWER)
    yield "messageStart", b"{}"
    for index, block in enumerate(answer.output.message.content):
        for kind, body in _block(block):
            yield kind, msgspec.json.encode({"contentBlockIndex": index, **body})
    yield "messageStop", msgspec.json.encode({"stopReason": answer.stop_reason})
    yield "metadata", msgspec.json.encode({"usage": answer.usage})


def _block(block: _Block) -> Iterator[tuple[str, JSON]]:
    if tool := block.tool_use:
        start = {"toolUseId": tool.tool_use_id, "name": tool.name}
        yield "contentBlockStart", {"start": {"toolUse": start}}
    for delta in _deltas(block):
        yield "contentBlockDelta", {"delta": delta}
    yield "contentBlockStop", {}


def _deltas(block: _Block) -> Iterator[JSON]:
    reasoning = block.reasoning_content or _Reasoning()
    if text := reasoning.reasoning_text:
        yield {"reasoningContent": {"text": text.text}}
        yield {"reasoningContent": {"signature": text.signature}}
    if reasoning.redacted_content:
        yield {"reasoningContent": {"redactedContent": reasoning.redacted_content}}
    if block.tool_use:
        arguments = msgspec.json.encode(block.tool_use.input or {}).decode()
        yield {"toolUse": {"input": arguments}}
    if block.text:
        yield {"text": block.text}
