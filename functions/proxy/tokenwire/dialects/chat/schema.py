"""Schema of a Chat Completions request.

https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated

from msgspec import Meta, Struct

from ..schema.checking import OneOf
from ..schema.common import Name, Object

Penalty = Annotated[float, Meta(ge=-2, le=2)]


class TextPart(Struct):
    """Text."""

    text: str


class RefusalPart(Struct):
    """A refusal in an earlier answer."""

    refusal: str


class ImageURL(Struct):
    """The URL of an image: https, or a base64 data URL."""

    url: str
    detail: str | None = None


class ImagePart(Struct):
    """An image."""

    image_url: ImageURL


class Audio(Struct):
    """Base64 audio data."""

    data: str
    format: str


class AudioPart(Struct):
    """Sound."""

    input_audio: Audio


class File(Struct):
    """A file: its content as a data URL, or its id at the provider."""

    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(Struct):
    """A file."""

    file: File


class Part(OneOf):
    """A part of a message's content."""

    kinds = MappingProxyType(
        {
            "text": TextPart,
            "refusal": RefusalPart,
            "image_url": ImagePart,
            "input_audio": AudioPart,
            "file": FilePart,
        }
    )


Content = str | list[Part]


class Function(Struct):
    """The function of a call; ``arguments`` is JSON text as the model wrote it."""

    name: str
    arguments: str


class FunctionCall(Struct):
    """A call of a function."""

    id: str
    function: Function


class CustomInput(Struct):
    """The input of a custom tool: free text."""

    name: str
    input: str


class CustomCall(Struct):
    """A call of a custom tool."""

    id: str
    custom: CustomInput


class ToolCall(OneOf):
    """A tool call in an assistant message; some clients omit the type."""

    default = "function"
    kinds = MappingProxyType({"function": FunctionCall, "custom": CustomCall})


class InputMessage(Struct):
    """A system, developer or user message."""

    content: Content
    name: str | None = None


class AssistantMessage(Struct):
    """An earlier answer of the model."""

    content: Content | None = None
    refusal: str | None = None
    name: str | None = None
    tool_calls: list[ToolCall] | None = None
    function_call: Function | None = None
    audio: Object | None = None


class ToolMessage(Struct):
    """The result of a tool call."""

    content: Content
    tool_call_id: str


class FunctionMessage(Struct):
    """The result of a call of the deprecated ``functions`` form."""

    content: str | None
    name: str


class Message(OneOf):
    """A turn."""

    tag = "role"
    closed = True
    kinds = MappingProxyType(
        {
            "developer": InputMessage,
            "system": InputMessage,
            "user": InputMessage,
            "assistant": AssistantMessage,
            "tool": ToolMessage,
            "function": FunctionMessage,
        }
    )


class FunctionSpec(Struct):
    """A function that the model may call; ``parameters`` is a JSON schema."""

    name: Name
    description: str | None = None
    parameters: Object | None = None
    strict: bool | None = None


class FunctionTool(Struct):
    """A function in the list of tools."""

    function: FunctionSpec


class CustomSpec(Struct):
    """The definition of a tool that takes free text."""

    name: Name
    description: str | None = None
    format: Object | None = None


class CustomTool(Struct):
    """A custom tool in the list of tools."""

    custom: CustomSpec


class Tool(OneOf):
    """A tool."""

    kinds = MappingProxyType({"function": FunctionTool, "custom": CustomTool})


class Named(Struct):
    """A tool's name."""

    name: str


class NamedFunction(Struct):
    """The function to call."""

    function: Named


class NamedCustom(Struct):
    """The custom tool to call."""

    custom: Named


class AllowedTools(Struct):
    """A subset of the tools."""

    mode: str
    tools: list[Object]


class Allowed(Struct):
    """A subset of the tools, as a tool choice."""

    allowed_tools: AllowedTools


class ToolChoice(OneOf):
    """``none``, ``auto``, ``required``, or a specific tool."""

    or_text = True
    kinds = MappingProxyType(
        {"function": NamedFunction, "custom": NamedCustom, "allowed_tools": Allowed}
    )


class Schema(Struct):
    """A JSON schema for the answer."""

    name: Name
    schema: Object | None = None
    description: str | None = None
    strict: bool | None = None


class SchemaFormat(Struct):
    """A JSON schema as a response format."""

    json_schema: Schema


class Empty(Struct):
    """An object with a type and no other field."""


class ResponseFormat(OneOf):
    """The format of the answer."""

    kinds = MappingProxyType({"text": Empty, "json_object": Empty, "json_schema": SchemaFormat})


class PredictedContent(Struct):
    """Text that the answer is expected to repeat for the most part."""

    content: Content


class Prediction(OneOf):
    """The expected answer."""

    kinds = MappingProxyType({"content": PredictedContent})


class StreamOptions(Struct):
    """Options of a stream."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class Options(Struct, kw_only=True):
    """The options that ``chat``, ``events`` and ``ui`` share."""

    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    max_tokens: int | None = None
    stop: str | list[str] | None = None
    tools: list[Tool] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: str | None = None
    response_format: ResponseFormat | None = None


class Request(Options, kw_only=True):
    """The body of ``POST /v1/chat/completions``."""

    model: str
    messages: Annotated[list[Message], Meta(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    audio: Object | None = None
    frequency_penalty: Penalty | None = None
    function_call: FunctionChoice | None = None
    functions: list[FunctionSpec] | None = None
    logit_bias: dict[str, int] | None = None
    logprobs: bool | None = None
    max_completion_tokens: int | None = None
    metadata: dict[str, str] | None = None
    modalities: list[str] | None = None
    moderation: Object | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    prediction: Prediction | None = None
    presence_penalty: Penalty | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: Object | None = None
    prompt_cache_retention: str | None = None
    safety_identifier: str | None = None
    seed: int | None = None
    service_tier: str | None = None
    store: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    user: str | None = None
    verbosity: str | None = None
    web_search_options: Object | None = None


class FunctionChoice(OneOf):
    """``none``, ``auto``, or the name of a function."""

    or_text = True
    tag = "name"
    kinds = MappingProxyType({})
