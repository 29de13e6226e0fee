"""The endpoint of typed events."""

from __future__ import annotations

from ..endpoint import Body, Endpoint, Schema
from ..schema.shapes import CODED, TEXT, object_of, one_of
from .schema import Request

_ERROR = object_of(
    {"type": one_of("error"), "message": TEXT, **CODED},
    {"param": TEXT, "retry_after": {"type": "number"}},
)
BODY = Body("EventsRequest", Request, {"message": "Hello"}, is_closed=True)
ENDPOINT = Endpoint(
    path="/api/stream",
    summary="Stream typed events",
    description=(
        'Accepts `{"message": "…"}` or `{"messages": […]}`, and optionally `model` and more.\n\n'
        "The `start` event is sent at once, before the provider has answered, so that a stream "
        "without any token can be resumed too. What the provider refuses is therefore an `error` "
        "event."
    ),
    tag="Typed events",
    body=BODY,
    events="objects with a `type`: `start`, `content`, …, `finish`, `usage`; then `[DONE]`",
    error=Schema("EventsError", _ERROR),
    event_source=True,
)
