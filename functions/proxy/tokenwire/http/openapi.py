"""``/openapi.json``: what FastAPI knows of the routes, completed by what they really answer."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from ..dialects.protocol import JSON
from ..gateway.idempotency import KEY_HEADER as IDEMPOTENCY_HEADER
from ..gateway.presence import VIEWER_HEADER
from . import schemas_answers as answers
from .errors import dialect_of
from .manners import POLICY_HEADER
from .schemas import completed

_STREAM_ID = {"x-stream-id": {"schema": {"type": "string"}, "description": "The stream's id."}}
_STARTS = frozenset(
    {"/v1/chat/completions", "/v1/responses", "/v1/messages", "/api/chat", "/api/stream"}
)
_VIEWED = frozenset({"/api/stream", "/v1/streams/{stream_id}"})
_OPEN = frozenset({"/healthz", "/readyz"})


def document(app: FastAPI) -> JSON:
    """The description of an app's API, made once."""
    held: JSON | None = getattr(app.state, "document", None)
    if held is None:
        found = get_openapi(
            title=app.title, version=app.version, summary=app.summary, routes=app.routes
        )
        # FastAPI's own error body is not among ours.
        found["components"] = {"schemas": dict(answers.COMPONENTS), "securitySchemes": _SCHEMES}
        for path, operations in found["paths"].items():
            for method, operation in operations.items():
                _complete(path, method, operation)
        held = app.state.document = completed(found)
    return held


_SCHEMES: JSON = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}


def _complete(path: str, method: str, operation: JSON) -> None:
    said = answers.ANSWERS[method, path]
    operation["responses"] = {
        str(status): {"description": text, **content} for status, (text, content) in said.items()
    }
    if path in _STARTS or path.startswith("/v1/streams"):
        for status in said:
            operation["responses"][str(status)]["headers"] = _STREAM_ID
    if path not in _OPEN:
        operation["responses"] |= _failures(dialect_of(path).name)
        # The empty one: a server without keys answers those on its own machine.
        operation["security"] = [{"bearer": []}, {"x-api-key": []}, {}]
    if more := _headers(path, method):
        operation["parameters"] = [*operation.get("parameters", ()), *more]


def _failures(dialect: str) -> JSON:
    schema = {"schema": {"$ref": f"#/components/schemas/{answers.ERRORS[dialect]}"}}
    content = {"content": {"application/json": schema}}
    found: JSON = {str(n): {"description": t, **content} for n, t in answers.FAILURES.items()}
    # Of the server, before there is a route and its dialect.
    found["431"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    found["401"]["headers"] = {"www-authenticate": {"schema": {"type": "string"}}}
    found["405"]["headers"] = {"allow": {"schema": {"type": "string"}}}
    return found


def _headers(path: str, method: str) -> list[JSON]:
    found = []
    if method == "post" and (path in _STARTS or path == "/v1/streams"):
        found.append(_header(IDEMPOTENCY_HEADER, "Joins the stream of an earlier, same request."))
        found.append(_header(POLICY_HEADER, "`cancel`, `continue`, or `grace=SECONDS`."))
    if path in _VIEWED:
        found.append(_header(VIEWER_HEADER, "The viewer's name, where leaving cannot be seen."))
        if method == "get":
            found.append(_header("last-event-id", "The id of the last event that you have."))
    return found


def _header(name: str, text: str) -> JSON:
    schema: dict[str, Any] = {"type": "string"}
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": text}
