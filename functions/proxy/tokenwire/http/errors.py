"""Error responses: an HTTP status, and JSON in the caller's own dialect."""

from __future__ import annotations

import math
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from ..dialects.protocol import Dialect, as_event
from ..dialects.registry import dialect_of
from ..errors import FAILED, ClientError, ProxyError, TokenwireError
from ..events import Error
from .context import summary_of
from .paths import route_path


def error_response(dialect: Dialect) -> Callable[[Error], Response]:
    """Return a function that makes error responses in one dialect."""

    def respond(error: Error) -> Response:
        headers = {}
        if error.retry_after is not None:
            headers["retry-after"] = str(math.ceil(error.retry_after))
        if error.status == 401:
            headers["www-authenticate"] = "Bearer"
        return JSONResponse(dialect.error_body(error), error.status, headers)

    return respond


async def on_error(request: Request, error: Exception) -> Response:
    """Turn an exception of a route into a response."""
    ours = _as_ours(error)
    summary_of(request).log.error_code = ours.code
    dialect = dialect_of(request.scope["state"]["dialects"], route_path(request.scope))
    response = error_response(dialect)(as_event(ours))
    if response.status_code == 405:
        response.headers["allow"] = ", ".join(sorted(_methods(request)))
    return response


def _methods(request: Request) -> set[str]:
    """Return the methods of the request's path, each of which may have a route of its own."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    found = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in found for method in route.methods or ()}


def _as_ours(error: Exception) -> TokenwireError:
    match error:
        case TokenwireError():
            return error
        case HTTPException(status_code=404):
            return ClientError("There is nothing at this path.", code="not_found", status=404)
        case HTTPException(status_code=405):
            return ClientError(
                "This path does not have this method; Allow lists those it has.",
                code="bad_method",
                status=405,
            )
        case HTTPException(status_code=status):
            return ClientError("The request cannot be served.", status=status)
        case _:
            return ProxyError(FAILED)
