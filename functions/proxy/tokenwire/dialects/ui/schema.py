"""Schema of the request that ``useChat`` of the AI SDK sends.

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
    """A file: an https URL or a data URL."""

    url: str
    mediaType: str  # noqa: N815 - the SDK's name
    filename: str | None = None


class Tool(Struct):
    """A tool call, with its result in some states."""

    toolCallId: str  # noqa: N815 - the SDK's name
    state: str | None = None
    input: Any = None
    output: Any = None
    errorText: str | None = None  # noqa: N815 - the SDK's name


class DynamicTool(Tool, kw_only=True):
    """A call of a tool that the page defines at run time."""

    toolName: str  # noqa: N815 - the SDK's name


class Part(OneOf):
    """A part of a message. ``tool-NAME`` is a tool call; ``data-NAME`` is data of the page."""

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
        """Return the type up to ``tool-`` or ``data-``: tools and data have types of their own."""
        kind = value.get("type")
        return next(
            (p for p in _PREFIXES if isinstance(kind, str) and kind.startswith(f"{p}-")), kind
        )

    @classmethod
    def tag_schema(cls, name: str) -> Object:
        """Return the JSON Schema for the same types."""
        if name in _PREFIXES:
            return {"type": "string", "pattern": f"^{name}-"}
        return {"const": name}


class Message(Struct):
    """A message."""

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
