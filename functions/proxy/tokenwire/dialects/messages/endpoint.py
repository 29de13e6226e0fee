"""The endpoint of Anthropic Messages."""

from __future__ import annotations

from ..endpoint import Body, Endpoint, Schema
from ..schema.shapes import NULLABLE, NUMBER, TEXT, list_of, object_of, one_of
from .schema import Request

_ERROR = object_of(
    {
        "type": one_of("error"),
        "error": object_of({"type": TEXT, "message": TEXT, "code": TEXT, "param": NULLABLE}),
    }
)
_MESSAGE = object_of(
    {
        "id": TEXT,
        "type": one_of("message"),
        "role": one_of("assistant"),
        "model": TEXT,
        "content": list_of(object_of({"type": TEXT})),
        "stop_reason": NULLABLE,
        "stop_sequence": NULLABLE,
        "usage": object_of({"input_tokens": NUMBER, "output_tokens": NUMBER}),
    }
)
_EXAMPLE = {
    "model": "demo/markdown",
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": "Hello"}],
    "stream": True,
}
ENDPOINT = Endpoint(
    path="/v1/messages",
    summary="Create a message",
    description=(
        'Answers as Anthropic does: with a message, or with its events if `"stream": true`.\n\n'
        "`model` is as for chat completions. A request for Anthropic passes unchanged. A request "
        "for another provider is translated; a field that cannot be translated is a 400 that "
        "names it."
    ),
    tag="Anthropic Messages",
    body=Body("MessagesRequest", Request, _EXAMPLE),
    events="those of Anthropic Messages, then `message_stop`",
    answer=Schema("Message", _MESSAGE),
    error=Schema("AnthropicError", _ERROR),
)
