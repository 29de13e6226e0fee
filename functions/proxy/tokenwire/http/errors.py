"""Errors before the first byte: an HTTP status, and JSON in the caller's own dialect."""

from __future__ import annotations

import math
from collections.abc import Callable

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ..dialects import DIALECTS
from ..dialects.protocol import Dialect, as_event
from ..errors import ClientError, ProxyError, TokenwireError
from ..events import Error
from .dependencies import observation


def refusal(dialect: Dialect) -> Callable[[Error], Response]:
    """Makes error responses in one dialect."""

    def refuse(error: Error) -> Response:
        headers = {}
        if error.retry_after is not None:
            headers["retry-after"] = str(math.ceil(error.retry_after))
        if error.status == 401:
            headers["www-authenticate"] = "Bearer"
        return JSONResponse(dialect.error_body(error), error.status, headers)

    return refuse


def dialect_of(path: str) -> Dialect:
    """The dialect that callers of this path read errors in."""
    return DIALECTS[next((name for head, name in _PATHS if path.startswith(head)), "events")]


_PATHS = (
    ("/v1/chat", "chat"),
    ("/v1/models", "chat"),
    ("/v1/messages", "messages"),
    ("/v1/responses", "responses"),
    ("/api/chat", "ui"),
)


async def on_error(request: Request, error: Exception) -> Response:
    """Turns whatever a route raised into a response. Registered for the types below."""
    said = _as_ours(error)
    observation(request).log.error_code = said.code
    response = refusal(dialect_of(request.scope["path"]))(as_event(said))
    if response.status_code == 405:
        response.headers["allow"] = ", ".join(sorted(_methods(request)))
    return response


def _methods(request: Request) -> set[str]:
    """The methods of the request's path, each of which may have a route of its own."""
    path = request.scope["path"]
    routes: tuple[Route, ...] = request.app.state.routes
    found = [route.methods or () for route in routes if route.path_regex.match(path)]
    return {method for methods in found for method in methods}


def _as_ours(error: Exception) -> TokenwireError:
    match error:
        case TokenwireError():
            return error
        case RequestValidationError():
            where = error.errors()[0]["loc"]
            return ClientError("A parameter is malformed.", param=".".join(map(str, where[1:])))
        case HTTPException(status_code=404):
            return ClientError("There is nothing at this path.", code="not_found", status=404)
        case HTTPException(status_code=405):
            return ClientError("This path has no such method.", code="bad_method", status=405)
        case HTTPException(status_code=status):
            return ClientError("The request cannot be served.", status=status)
        case _:
            return ProxyError("The server failed.")


HANDLED: tuple[type[Exception], ...] = (TokenwireError, RequestValidationError, HTTPException)
