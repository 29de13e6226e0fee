"""What the API answers on each route: its schemas, and the failures that all routes share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ..dialects import Dialect
from ..dialects.endpoint import Endpoint
from ..dialects.protocol import JSON
from ..dialects.schema.shapes import NUMBER, TEXT, list_of, object_of, one_of
from ..stores.records import EndReason

Answer: TypeAlias = tuple[str, JSON]
"""A description, and the rest of an OpenAPI response object."""
Operation: TypeAlias = tuple[str, str]
"""A method in lower case, and a path."""

_CHECK: JSON = object_of({"status": TEXT, "detail": TEXT}, {"models": NUMBER})
_MODEL: JSON = {"id": TEXT, "object": one_of("model"), "created": NUMBER, "owned_by": TEXT}


def _ref(name: str) -> JSON:
    return {"$ref": f"#/components/schemas/{name}"}


COMPONENTS: JSON = {
    "InputItems": object_of(
        {
            "object": one_of("list"),
            "data": list_of(object_of({"id": TEXT, "type": TEXT})),
            "first_id": TEXT,
            "last_id": TEXT,
            "has_more": {"type": "boolean"},
        }
    ),
    "Model": object_of(_MODEL),
    "Models": object_of(
        {
            "object": one_of("list"),
            "data": list_of(_ref("Model")),
            "default": TEXT,
            "providers": {"type": "object", "additionalProperties": _CHECK},
        },
    ),
    "Started": object_of({"id": TEXT, "url": TEXT, "expires_at": NUMBER}),
    "Shared": object_of({"url": TEXT, "expires_at": NUMBER}),
    "Ended": object_of({"id": TEXT, "end_reason": one_of(*(reason.value for reason in EndReason))}),
    "Alive": object_of({"status": one_of("ok")}),
    "Ready": object_of(
        {"status": one_of("ok", "shutting_down")},
        {
            "providers": {"type": "object", "additionalProperties": TEXT},
            "off": {"type": "object", "additionalProperties": TEXT},
            "checks": {"type": "object", "additionalProperties": _CHECK},
            "default_model": TEXT,
            "store": one_of("ok", "degraded"),
        },
    ),
}
"""The schemas that belong to no dialect."""

FAILURES = {
    400: "The request is malformed; `param` names the field.",
    401: "A key or ticket is missing, wrong or expired.",
    403: "A server without keys answers only requests from its own machine.",
    404: "There is no such model, stream, response or path.",
    405: "The path does not have this method; `Allow` lists those that it has.",
    408: "The request body did not arrive in time.",
    410: "The stream, or the part of it after the cursor, is no longer held.",
    413: "The request is too large.",
    422: "The Idempotency-Key belongs to another request; or the provider refused this one.",
    429: "The provider limits requests, or this caller has reached its own limit.",
    431: "The request's head is too large.",
    499: "The stream was cancelled, or the client left.",
    500: "The server failed.",
    501: "There is no store, which this needs on AWS Lambda.",
    502: "The provider failed.",
    503: "The server or the provider is overloaded, or the server is shutting down.",
    504: "The provider took too long.",
    529: "The provider is overloaded.",
}


def components(dialects: Mapping[str, Dialect]) -> JSON:
    """Return all schemas of responses by name."""
    found = dict(COMPONENTS)
    for endpoint in endpoints(dialects).values():
        for schema in filter(None, (endpoint.answer, endpoint.error)):
            found[schema.name] = dict(schema.schema)
    return found


def endpoints(dialects: Mapping[str, Dialect]) -> dict[str, Endpoint]:
    """Return the endpoints of the dialects by their paths."""
    found = [dialect.endpoint for dialect in dialects.values()]
    return {endpoint.path: endpoint for endpoint in found if endpoint is not None}


def answers(dialects: Mapping[str, Dialect]) -> dict[Operation, dict[int, Answer]]:
    """Return what each operation answers when it does not fail, by status."""
    posts: dict[Operation, dict[int, Answer]] = {
        ("post", path): {200: _endpoint(endpoint)} for path, endpoint in endpoints(dialects).items()
    }
    return {**posts, **_views(dialects), **_OTHERS}


def _views(dialects: Mapping[str, Dialect]) -> dict[Operation, dict[int, Answer]]:
    """Return the GET operations that stream in one dialect, or in any of them."""
    events, responses, ui = (
        _endpoint(found)
        for name in ("events", "responses", "ui")
        if (found := dialects[name].endpoint)
    )
    return {
        ("get", "/api/stream"): {200: events, 204: _NOTHING},
        ("get", "/v1/responses/{response_id}"): {200: responses},
        ("get", "/api/chat/{chat_id}/stream"): {200: ui, 204: _NOTHING},
        ("get", "/v1/streams/{stream_id}"): {
            200: _events(f"those of the `format`, which is one of {', '.join(dialects)}"),
            204: _NOTHING,
        },
    }


def _endpoint(endpoint: Endpoint) -> Answer:
    return _events(endpoint.events, None if endpoint.answer is None else endpoint.answer.name)


def _json(name: str) -> JSON:
    return {"application/json": {"schema": _ref(name)}}


def _answer(text: str, name: str) -> Answer:
    return text, {"content": _json(name)}


def _events(phrase: str, name: str | None = None) -> Answer:
    # The schema of each event, as its fields are in the stream.
    event = object_of({"data": TEXT}, {"event": TEXT, "id": TEXT, "retry": NUMBER})
    stream = {"text/event-stream": {"schema": {**event, "description": f"Events: {phrase}."}}}
    complete = {} if name is None else _json(name)
    text = "The answer as a stream" + ("; without `stream`, as one object." if name else ".")
    return text, {"content": {**complete, **stream}}


_NOTHING: Answer = ("Nothing is left to send: do not reconnect.", {})
_DONE: Answer = ("Done.", {})
_OTHERS: dict[Operation, dict[int, Answer]] = {
    ("post", "/v1/responses/{response_id}/cancel"): {200: _answer("The response.", "Response")},
    ("get", "/v1/responses/{response_id}/input_items"): {200: _answer("A page.", "InputItems")},
    ("get", "/v1/models"): {200: _answer("The models.", "Models")},
    ("get", "/v1/models/{model}"): {200: _answer("The model.", "Model")},
    ("post", "/api/chat/{chat_id}/stop"): {200: _answer("How the stream ended.", "Ended")},
    ("post", "/v1/streams"): {201: _answer("The stream, and where to watch it.", "Started")},
    ("post", "/v1/streams/{stream_id}/viewers/{viewer}"): {204: _DONE},
    ("post", "/v1/streams/{stream_id}/viewers/{viewer}/leave"): {204: _DONE},
    ("post", "/v1/streams/{stream_id}/ticket"): {200: _answer("Where to watch it.", "Shared")},
    ("post", "/v1/streams/{stream_id}/cancel"): {200: _answer("How the stream ended.", "Ended")},
    ("get", "/healthz"): {200: _answer("The process is alive.", "Alive")},
    ("get", "/readyz"): {
        200: _answer("The server accepts requests.", "Ready"),
        503: _answer("The server is shutting down.", "Ready"),
    },
    ("get", "/metrics"): {200: ("The metrics.", {"content": {"text/plain": {"schema": TEXT}}})},
}
