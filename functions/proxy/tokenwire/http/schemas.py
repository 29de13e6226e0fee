"""What the reference page says about request bodies that we read ourselves."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from ..dialects.chat import schema as chat
from ..dialects.events import schema as events
from ..dialects.messages import schema as messages
from ..dialects.responses import schema as responses
from ..dialects.schema.document import json_schema
from ..dialects.ui import schema as ui

Document = dict[str, Any]

_BODIES: Mapping[str, type[msgspec.Struct]] = MappingProxyType(
    {
        "ChatRequest": chat.Request,
        "MessagesRequest": messages.Request,
        "ResponsesRequest": responses.Request,
        "UIRequest": ui.Request,
        "EventsRequest": events.Request,
    }
)


def completed(document: Document) -> Document:
    """The OpenAPI document, with the schemas that its request bodies refer to.

    Making them takes a tenth of a second, so they are not made with the routes.
    """
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name, kind in _BODIES.items():
        if name not in schemas:
            schemas[name] = json_schema(kind)
    # The typed routes know all of their fields.
    schemas["EventsRequest"]["additionalProperties"] = False
    return document


def _body(name: str, example: dict[str, Any]) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{name}"}
    content = {"application/json": {"schema": schema, "example": example}}
    return {"requestBody": {"required": True, "content": content}}


_TURNS = [{"role": "user", "content": "Hello"}]

CHAT = _body("ChatRequest", {"model": "demo/markdown", "messages": _TURNS, "stream": True})
MESSAGES = _body(
    "MessagesRequest",
    {"model": "demo/markdown", "max_tokens": 1024, "messages": _TURNS, "stream": True},
)
RESPONSES = _body("ResponsesRequest", {"model": "demo/markdown", "input": "Hello", "stream": True})
UI = _body(
    "UIRequest",
    {
        "id": "chat-1",
        "messages": [{"id": "1", "role": "user", "parts": [{"type": "text", "text": "Hello"}]}],
    },
)
TYPED = _body("EventsRequest", {"message": "Hello"})
