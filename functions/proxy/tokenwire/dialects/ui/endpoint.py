"""The endpoint of ``useChat``."""

from __future__ import annotations

from ..endpoint import Body, Endpoint, Schema
from ..schema.shapes import CODED, TEXT, object_of
from .schema import Request

_PARTS = [{"type": "text", "text": "Hello"}]
_EXAMPLE = {"id": "chat-1", "messages": [{"id": "1", "role": "user", "parts": _PARTS}]}
ENDPOINT = Endpoint(
    path="/api/chat",
    summary="Answer a chat",
    description=(
        "Accepts what `useChat` sends (`id`, `messages`, `trigger`); `model` and `system` may be "
        "added.\n\nThe stream belongs to the chat `id`, by which it can be resumed and stopped."
    ),
    tag="AI SDK UI messages",
    body=Body("UIRequest", Request, _EXAMPLE),
    events="UI message parts of the AI SDK, then `[DONE]`",
    error=Schema("UIError", object_of({"error": TEXT, **CODED})),
)
