"""Schema of a Messages request.

https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated

from msgspec import Meta, Struct

from ..schema.checking import OneOf
from ..schema.common import Name, Object, PositiveInt, one_of


class Base64(Struct):
    """Base64 data."""

    media_type: str
    data: str


class PlainText(Struct):
    """A text document."""

    data: str


class Address(Struct):
    """An https URL."""

    url: str


class FileId(Struct):
    """A file at the provider."""

    file_id: str


class Source(OneOf):
    """The source of an image or a document."""

    kinds = MappingProxyType({"base64": Base64, "text": PlainText, "url": Address, "file": FileId})


class Citations(Struct):
    """Whether the answer cites the document."""

    enabled: bool | None = None


class Text(Struct):
    """Text."""

    text: str
    cache_control: Object | None = None
    citations: list[Object] | None = None


class Image(Struct):
    """An image."""

    source: Source
    cache_control: Object | None = None


class Document(Struct):
    """A document."""

    source: Source
    title: str | None = None
    context: str | None = None
    citations: Citations | None = None
    cache_control: Object | None = None


class ToolUse(Struct):
    """A tool call."""

    id: str
    name: str
    input: Object
    cache_control: Object | None = None


class ToolResult(Struct):
    """The result of a tool call."""

    tool_use_id: str
    content: str | list[Block] | None = None
    is_error: bool | None = None
    cache_control: Object | None = None


class Thinking(Struct):
    """Thinking of an earlier turn, with its signature."""

    thinking: str
    signature: str | None = None


class RedactedThinking(Struct):
    """Encrypted thinking of an earlier turn."""

    data: str


class Block(OneOf):
    """A content block."""

    kinds = MappingProxyType(
        {
            "text": Text,
            "image": Image,
            "document": Document,
            "tool_use": ToolUse,
            "tool_result": ToolResult,
            "thinking": Thinking,
            "redacted_thinking": RedactedThinking,
        }
    )


class Message(Struct):
    """A message."""

    role: Annotated[str, one_of("user", "assistant", "system")]
    content: str | list[Block]


class CustomTool(Struct):
    """A tool of the caller; ``input_schema`` is a JSON schema."""

    name: Name
    input_schema: Object
    description: str | None = None
    strict: bool | None = None
    cache_control: Object | None = None


class Tool(OneOf):
    """A tool; one without a type is the caller's own."""

    default = "custom"
    kinds = MappingProxyType({"custom": CustomTool})


class AnyTool(Struct):
    """A choice that lets the model select the tool."""

    disable_parallel_tool_use: bool | None = None


class NamedTool(AnyTool, kw_only=True):
    """The tool to call."""

    name: str


class NoTool(Struct):
    """A choice that forbids tool calls."""


class ToolChoice(OneOf):
    """Which tools the model may or must call."""

    kinds = MappingProxyType({"auto": AnyTool, "any": AnyTool, "tool": NamedTool, "none": NoTool})


class EnabledThinking(Struct):
    """Thinking with a token budget."""

    budget_tokens: PositiveInt
    display: str | None = None


class OtherThinking(Struct):
    """Adaptive thinking, or none."""

    display: str | None = None


class ThinkingConfig(OneOf):
    """The configuration of thinking."""

    kinds = MappingProxyType(
        {"enabled": EnabledThinking, "disabled": OtherThinking, "adaptive": OtherThinking}
    )


class SchemaFormat(Struct):
    """A JSON schema for the answer."""

    schema: Object


class Format(OneOf):
    """The format of the answer."""

    kinds = MappingProxyType({"json_schema": SchemaFormat})


class OutputConfig(Struct):
    """The effort and the format of the answer."""

    effort: str | None = None
    format: Format | None = None


class Metadata(Struct):
    """The end user's id."""

    user_id: str | None = None


class Request(Struct, kw_only=True):
    """The body of ``POST /v1/messages``."""

    model: str
    max_tokens: PositiveInt
    messages: Annotated[list[Message], Meta(min_length=1)]
    system: str | list[Block] | None = None
    stream: bool | None = None
    metadata: Metadata | None = None
    stop_sequences: list[str] | None = None
    temperature: Annotated[float, Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    thinking: ThinkingConfig | None = None
    tool_choice: ToolChoice | None = None
    tools: list[Tool] | None = None
    output_config: OutputConfig | None = None
    cache_control: Object | None = None
    service_tier: str | None = None
    context_management: Object | None = None
    inference_geo: str | None = None
    speed: str | None = None
