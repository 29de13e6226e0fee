"""A Messages request.

https://docs.anthropic.com/en/api/messages
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated

from msgspec import Meta, Struct

from ..schema.checking import OneOf
from ..schema.common import Name, Object, PositiveInt, one_of


class Base64(Struct):
    """Data in base64."""

    media_type: str
    data: str


class PlainText(Struct):
    """A text document."""

    data: str


class Address(Struct):
    """An https address."""

    url: str


class FileId(Struct):
    """A file at the provider."""

    file_id: str


class Source(OneOf):
    """Where an image or a document is."""

    kinds = MappingProxyType({"base64": Base64, "text": PlainText, "url": Address, "file": FileId})


class Citations(Struct):
    """Whether the answer is to cite it."""

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
    """A call of a tool."""

    id: str
    name: str
    input: Object
    cache_control: Object | None = None


class ToolResult(Struct):
    """What a tool said."""

    tool_use_id: str
    content: str | list[Block] | None = None
    is_error: bool | None = None
    cache_control: Object | None = None


class Thinking(Struct):
    """An earlier thought, and its seal."""

    thinking: str
    signature: str | None = None


class RedactedThinking(Struct):
    """An earlier thought that is not shown."""

    data: str


class Block(OneOf):
    """A block of a turn's content."""

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
    """A turn."""

    role: Annotated[str, one_of("user", "assistant", "system")]
    content: str | list[Block]


class CustomTool(Struct):
    """A tool of the caller's; ``input_schema`` is a JSON schema."""

    name: Name
    input_schema: Object
    description: str | None = None
    strict: bool | None = None
    cache_control: Object | None = None


class Tool(OneOf):
    """A tool; one without a type is the caller's."""

    default = "custom"
    kinds = MappingProxyType({"custom": CustomTool})


class AnyTool(Struct):
    """A choice that leaves it to the model."""

    disable_parallel_tool_use: bool | None = None


class NamedTool(AnyTool, kw_only=True):
    """The tool to call."""

    name: str


class NoTool(Struct):
    """None of them."""


class ToolChoice(OneOf):
    """Which tools the model may, or must, call."""

    kinds = MappingProxyType({"auto": AnyTool, "any": AnyTool, "tool": NamedTool, "none": NoTool})


class EnabledThinking(Struct):
    """Thinking, within a budget of tokens."""

    budget_tokens: PositiveInt
    display: str | None = None


class OtherThinking(Struct):
    """Thinking as the model likes, or none."""

    display: str | None = None


class ThinkingConfig(OneOf):
    """How the model thinks."""

    kinds = MappingProxyType(
        {"enabled": EnabledThinking, "disabled": OtherThinking, "adaptive": OtherThinking}
    )


class SchemaFormat(Struct):
    """A JSON schema for the answer."""

    schema: Object


class Format(OneOf):
    """What form the answer has."""

    kinds = MappingProxyType({"json_schema": SchemaFormat})


class OutputConfig(Struct):
    """How much work an answer is worth, and its form."""

    effort: str | None = None
    format: Format | None = None


class Metadata(Struct):
    """Who the end user is."""

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
