"""``/openapi.json``: FastAPI's description of the routes, completed with what it cannot derive."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from ..dialects import Dialect
from ..dialects.protocol import JSON
from ..dialects.registry import dialect_of
from ..gateway.idempotency import KEY_HEADER as IDEMPOTENCY_HEADER
from ..gateway.presence import VIEWER_HEADER
from ..gateway.services import Services
from . import schemas_answers as reference
from .plain import PlainRoute
from .requests import POLICY_HEADER
from .schemas import add_bodies

_STREAM_ID = {"x-stream-id": {"schema": {"type": "string"}, "description": "The stream's id."}}
_OPEN = frozenset({"/healthz", "/readyz"})
_STREAM = "/v1/streams/{stream_id}"


def document(app: FastAPI, services: Services) -> JSON:
    """Return the description of an app's API; it is made once."""
    held: JSON | None = getattr(app.state, "document", None)
    if held is None:
        dialects, schemes = services.dialects, services.security_schemes
        found = get_openapi(
            title=app.title,
            version=app.version,
            summary=app.summary,
            routes=list(_described(app.routes)),
        )
        # This replaces the schemas of FastAPI's own errors, which no route of ours sends.
        schemas = reference.components(dialects)
        found["components"] = {"schemas": schemas, "securitySchemes": dict(schemes)}
        endpoints = reference.endpoints(dialects)
        # Begin with the endpoints, whose routes come last.
        found["paths"] = dict(sorted(found["paths"].items(), key=lambda i: i[0] not in endpoints))
        operations = _Operations(dialects, schemes)
        for path, methods in found["paths"].items():
            for method, operation in methods.items():
                operations.complete(path, method, operation)
        add_bodies(found, dialects)
        held = app.state.document = found
    return held


def _described(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    """Yield the routes; each plain one as a route that FastAPI can describe."""
    for route in routes:
        if not isinstance(route, PlainRoute):
            yield route
        elif (description := route.plain.description) is not None:
            text = inspect.cleandoc(route.plain.endpoint.__doc__ or "")
            options = {"name": route.name, "description": text, **description}
            yield APIRoute(
                route.path,
                _without_parameters,
                methods=list(route.plain.methods),
                response_model=None,
                **options,
            )


async def _without_parameters() -> None:
    """The signature of a plain route's endpoint, for FastAPI."""


@dataclass(frozen=True, slots=True)
class _Operations:
    """Completes the operations of an app with these dialects and ways to authenticate."""

    dialects: Mapping[str, Dialect]
    schemes: Iterable[str]

    def complete(self, path: str, method: str, operation: JSON) -> None:
        """Add responses, headers and the ways to authenticate."""
        answers = reference.answers(self.dialects)[method, path]
        operation["responses"] = {
            str(status): {"description": text, **content}
            for status, (text, content) in answers.items()
        }
        if path in self._starts or path.startswith("/v1/streams"):
            for status in answers:
                operation["responses"][str(status)]["headers"] = _STREAM_ID
        if path not in _OPEN:
            operation["responses"] |= _failures(dialect_of(self.dialects, path))
            # The empty one: a server without keys answers requests from its own machine.
            operation["security"] = [*({name: []} for name in self.schemes), {}]
        if more := self._headers(path, method):
            operation["parameters"] = [*operation.get("parameters", ()), *more]

    @property
    def _starts(self) -> set[str]:
        return set(reference.endpoints(self.dialects))

    def _headers(self, path: str, method: str) -> list[JSON]:
        found = []
        if method == "post" and (path in self._starts or path == "/v1/streams"):
            found.append(_header(IDEMPOTENCY_HEADER, "Joins the stream of an equal request."))
            found.append(_header(POLICY_HEADER, "`cancel`, `continue`, or `grace=SECONDS`."))
        if path == _STREAM or self._is_event_source(path):
            found.append(
                _header(VIEWER_HEADER, "The viewer's name, where disconnects cannot be detected.")
            )
            if method == "get":
                found.append(_header("last-event-id", "The id of the last event that you have."))
        return found

    def _is_event_source(self, path: str) -> bool:
        endpoint = reference.endpoints(self.dialects).get(path)
        return endpoint is not None and endpoint.event_source


def _failures(dialect: Dialect) -> JSON:
    name = dialect.endpoint.error.name if dialect.endpoint else "Error"
    schema = {"schema": {"$ref": f"#/components/schemas/{name}"}}
    content = {"content": {"application/json": schema}}
    found: JSON = {str(n): {"description": t, **content} for n, t in reference.FAILURES.items()}
    # The server sends this one before there is a route and its dialect.
    found["431"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    found["401"]["headers"] = {"www-authenticate": {"schema": {"type": "string"}}}
    found["405"]["headers"] = {"allow": {"schema": {"type": "string"}}}
    return found


def _header(name: str, text: str) -> JSON:
    schema: dict[str, Any] = {"type": "string"}
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": text}
