"""What ``useChat`` of the AI SDK posts.

https://ai-sdk.dev/docs/reference/ai-sdk-core/ui-message
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Any

from msgspec import Meta, Struct

from ..chat.schema import Empty, Options
from ..schema.checking import OneOf
from ..schema.common import Object, one_of

_PREFIXES = ("tool", "data")


class Text(Struct):
    """Text."""

    text: str


class File(Struct):
    """A file: an https address or a data URL."""

    url: str
    mediaType: str  # noqa: N815 - the SDK's name
    filename: str | None = None


class Tool(Struct):
    """A call of a tool, and in some states its result."""

    toolCallId: str  # noqa: N815 - the SDK's name
    state: str | None = None
    input: Any = None
    output: Any = None
    errorText: str | None = None  # noqa: N815 - the SDK's name


class DynamicTool(Tool, kw_only=True):
    """The same, of a tool that the page did not know when it was written."""

    toolName: str  # noqa: N815 - the SDK's name


class Part(OneOf):
    """A part of a message. ``tool-NAME`` is a call; ``data-NAME`` belongs to the page."""

    kinds = MappingProxyType(
        {
            "text": Text,
            "reasoning": Text,
            "file": File,
            "tool": Tool,
            "dynamic-tool": DynamicTool,
            "step-start": Empty,
            "source-url": Empty,
            "source-document": Empty,
            "data": Empty,
        }
    )

    @classmethod
    def tag_of(cls, value: Object) -> object:
        """Every tool, and every kind of data, has a type of its own."""
        kind = value.get("type")
        return next(
            (p for p in _PREFIXES if isinstance(kind, str) and kind.startswith(f"{p}-")), kind
        )

    @classmethod
    def tag_schema(cls, name: str) -> Object:
        """The same in words of JSON Schema."""
        if name in _PREFIXES:
            return {"type": "string", "pattern": f"^{name}-"}
        return {"const": name}


class Message(Struct):
    """A turn."""

    role: Annotated[str, one_of("user", "assistant", "system")]
    parts: list[Part]
    id: str | None = None


class Request(Options, kw_only=True):
    """The body of ``POST /api/chat``."""

    messages: Annotated[list[Message], Meta(min_length=1)]
    id: str | None = None
    model: str | None = None
    system: str | None = None
    trigger: str | None = None
    messageId: str | None = None  # noqa: N815 - the SDK's name
