"""What becomes of a failure in mid-stream below middleware, as the layer's README says."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.lambda_asgi.test_runtime import ERROR_TYPE, URL, running


async def fails(request: Request) -> StreamingResponse:
    """A stream that breaks off."""

    async def parts() -> AsyncIterator[str]:
        yield "begun"
        raise ValueError("sk-secret")

    return StreamingResponse(parts())


async def passes(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """What ``@app.middleware("http")`` is put in front of."""
    return await call_next(request)


class Pure:
    """The same as pure ASGI."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        await self.app(scope, receive, send)


def behind(middleware: Middleware) -> Starlette:
    """The failing stream behind a middleware."""
    routes = [Route("/{path:path}", fails, methods=["GET", "POST"])]
    return Starlette(routes=routes, middleware=[middleware])


async def test_base_http_middleware_hides_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    """The response ends as if it were whole; the log says that it is not."""
    async with running(behind(Middleware(BaseHTTPMiddleware, dispatch=passes))) as api:
        got = await api.invoke(URL).finished()
        await api.invoke({"Records": []}).finished()
    assert (got.payload, got.trailers) == (b"begun", {})
    assert "the app failed after its response had ended: ValueError" in caplog.text
    assert "secret" not in caplog.text


async def test_pure_asgi_middleware_lets_it_through(caplog: pytest.LogCaptureFixture) -> None:
    """The response breaks off, with trailers that say so."""
    async with running(behind(Middleware(Pure))) as api:
        got = await api.invoke(URL).finished()
    assert (got.payload, got.trailers[ERROR_TYPE]) == (b"begun", "Function.ValueError")
    assert "the app failed after its response began: ValueError" in caplog.text
