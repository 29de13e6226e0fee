"""The endpoint of OpenAI Responses."""

from __future__ import annotations

from ..chat.endpoint import ERROR
from ..endpoint import Body, Endpoint, Schema
from ..schema.shapes import TEXT, list_of, object_of, one_of
from .schema import Request

_RESPONSE = object_of(
    {
        "id": TEXT,
        "object": one_of("response"),
        "created_at": {"type": "number"},
        "status": one_of("in_progress", "completed", "incomplete", "failed", "cancelled"),
        "model": TEXT,
        "output": list_of({"type": "object"}),
        "error": {"type": ["object", "null"]},
        "usage": {"type": ["object", "null"]},
    }
)
ENDPOINT = Endpoint(
    path="/v1/responses",
    summary="Create a response",
    description=(
        'Answers as OpenAI does: with a response, or with its events if `"stream": true`.\n\n'
        "A streaming response can be resumed by its id, whichever provider it comes from. Tools "
        "that OpenAI itself runs, stored conversations and background mode are refused with an "
        "error that names the field."
    ),
    tag="OpenAI Responses",
    body=Body(
        "ResponsesRequest",
        Request,
        {"model": "demo/markdown", "input": "Hello", "stream": True},
    ),
    events="those of OpenAI Responses, then `[DONE]`",
    answer=Schema("Response", _RESPONSE),
    error=ERROR,
)
