"""Schema of a Responses request.

https://platform.openai.com/docs/api-reference/responses/create
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated

from msgspec import Meta, Struct

from ..chat.schema import Empty
from ..schema.checking import OneOf
from ..schema.common import Name, Object, one_of


class Text(Struct):
    """Text of the input or of an earlier output."""

    text: str


class Refusal(Struct):
    """A refusal in an earlier answer."""

    refusal: str


class Image(Struct):
    """An image: its URL, or its id at the provider."""

    image_url: str | None = None
    file_id: str | None = None
    detail: str | None = None


class File(Struct):
    """A file: its data, its URL, or its id at the provider."""

    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None


class Part(OneOf):
    """A part of a message's content."""

    kinds = MappingProxyType(
        {
            "input_text": Text,
            "output_text": Text,
            "text": Text,
            "refusal": Refusal,
            "input_image": Image,
            "input_file": File,
        }
    )


Content = str | list[Part]


class Message(Struct):
    """A message."""

    role: Annotated[str, one_of("user", "assistant", "system", "developer")]
    content: Content
    id: str | None = None
    status: str | None = None
    phase: str | None = None


class FunctionCall(Struct):
    """A function call; ``arguments`` is JSON text as the model wrote it."""

    call_id: str
    name: str
    arguments: str
    id: str | None = None
    status: str | None = None
    namespace: str | None = None


class Output(Struct):
    """The result of a tool call."""

    call_id: str
    output: Content
    id: str | None = None
    status: str | None = None


class CustomCall(Struct):
    """A call of a custom tool; ``input`` is free text."""

    call_id: str
    name: str
    input: str
    id: str | None = None
    status: str | None = None
    namespace: str | None = None


class Thought(Struct):
    """Reasoning of an earlier turn."""

    summary: list[Object] | None = None
    content: list[Object] | None = None
    encrypted_content: str | None = None
    id: str | None = None
    status: str | None = None


class Reference(Struct):
    """A reference to an item of an earlier response of this server."""

    id: str


class Item(OneOf):
    """An item of the input."""

    default = "message"
    kinds = MappingProxyType(
        {
            "message": Message,
            "function_call": FunctionCall,
            "function_call_output": Output,
            "custom_tool_call": CustomCall,
            "custom_tool_call_output": Output,
            "reasoning": Thought,
            "item_reference": Reference,
        }
    )

    @classmethod
    def tag_of(cls, value: Object) -> object:
        """Return the type. Without one, an item with only an id is a reference, else a message."""
        is_reference = value.get("type") is None and "id" in value and "role" not in value
        return "item_reference" if is_reference else super().tag_of(value)


class FunctionTool(Struct):
    """A function that the model may call; ``parameters`` is a JSON schema."""

    name: Name
    parameters: Object | None = None
    description: str | None = None
    strict: bool | None = None


class CustomTool(Struct):
    """A tool that takes free text."""

    name: Name
    description: str | None = None
    format: Object | None = None


class Namespace(Struct):
    """Tools that share a namespace."""

    name: Name
    tools: list[Tool]
    description: str | None = None


class Tool(OneOf):
    """A tool."""

    kinds = MappingProxyType(
        {"function": FunctionTool, "custom": CustomTool, "namespace": Namespace}
    )


class NamedTool(Struct):
    """The tool to call."""

    name: str


class AllowedTools(Struct):
    """A subset of the tools."""

    mode: str
    tools: list[Object]


class ToolChoice(OneOf):
    """``none``, ``auto``, ``required``, or a specific tool."""

    or_text = True
    kinds = MappingProxyType(
        {"function": NamedTool, "custom": NamedTool, "allowed_tools": AllowedTools}
    )


class SchemaFormat(Struct):
    """A JSON schema for the answer."""

    name: Name
    schema: Object
    description: str | None = None
    strict: bool | None = None


class Format(OneOf):
    """The format of the answer."""

    kinds = MappingProxyType({"text": Empty, "json_object": Empty, "json_schema": SchemaFormat})


class TextConfig(Struct):
    """The format and verbosity of the answer."""

    format: Format | None = None
    verbosity: str | None = None


class Reasoning(Struct):
    """The reasoning effort, and which summary is returned."""

    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None


class StreamOptions(Struct):
    """Options of a stream."""

    include_obfuscation: bool | None = None


class Request(Struct, kw_only=True):
    """The body of ``POST /v1/responses``."""

    model: str
    input: str | list[Item] | None = None
    instructions: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    background: bool | None = None
    context_management: list[Object] | None = None
    include: list[str] | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    metadata: dict[str, str] | None = None
    moderation: Object | None = None
    parallel_tool_calls: bool | None = None
    previous_response_id: str | None = None
    prompt: Object | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Object | None = None
    prompt_cache_retention: str | None = None
    reasoning: Reasoning | None = None
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    text: TextConfig | None = None
    tool_choice: ToolChoice | None = None
    tools: list[Tool] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    truncation: str | None = None
    user: str | None = None
