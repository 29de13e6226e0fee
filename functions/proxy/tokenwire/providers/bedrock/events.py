"""The events of a Bedrock Converse stream; only the fields that are used."""

from __future__ import annotations

from msgspec import Struct


class ToolUse(Struct, rename="camel"):
    """A tool call, or a piece of its arguments."""

    tool_use_id: str = ""
    name: str = ""
    input: str = ""
    type: str | None = None


class Reasoning(Struct, rename="camel"):
    """A piece of reasoning, or its signature."""

    text: str | None = None
    signature: str | None = None
    redacted_content: str | None = None


class Start(Struct, rename="camel"):
    """The start of a block that is not text."""

    tool_use: ToolUse | None = None


class Delta(Struct, rename="camel"):
    """A piece of a block; exactly one field is set."""

    text: str | None = None
    tool_use: ToolUse | None = None
    reasoning_content: Reasoning | None = None


class Usage(Struct, rename="camel"):
    """Token counts. ``input_tokens`` excludes tokens read from or written to a cache."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_write_input_tokens: int = 0


class Event(Struct, rename="camel"):
    """An event of any type; the type determines which fields are set."""

    content_block_index: int = 0
    start: Start | None = None
    delta: Delta | None = None
    stop_reason: str | None = None
    usage: Usage | None = None
