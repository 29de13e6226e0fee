"""The events of a Bedrock Converse stream, as much of them as is read."""

from __future__ import annotations

from msgspec import Struct


class ToolUse(Struct, rename="camel"):
    """A tool call, or a piece of its arguments."""

    tool_use_id: str = ""
    name: str = ""
    input: str = ""
    type: str | None = None


class Reasoning(Struct, rename="camel"):
    """A piece of thinking, or its seal."""

    text: str | None = None
    signature: str | None = None
    redacted_content: str | None = None


class Start(Struct, rename="camel"):
    """What a block begins with, where it is not text."""

    tool_use: ToolUse | None = None


class Delta(Struct, rename="camel"):
    """A piece of a block: one of the fields is set."""

    text: str | None = None
    tool_use: ToolUse | None = None
    reasoning_content: Reasoning | None = None


class Usage(Struct, rename="camel"):
    """Token counts. ``input_tokens`` leaves out what was read from or written to a cache."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_write_input_tokens: int = 0


class Event(Struct, rename="camel"):
    """Any event: which fields are set depends on its type."""

    content_block_index: int = 0
    start: Start | None = None
    delta: Delta | None = None
    stop_reason: str | None = None
    usage: Usage | None = None
