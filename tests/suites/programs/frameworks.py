"""The same three routes in Django, Quart, Litestar and sse-starlette, behind lambda_asgi.

``/stream`` waits for the file ``SIGNAL`` before its second part, ``/echo`` returns the body and two
cookies, ``/fail`` raises in mid-stream.
"""

from __future__ import annotations

import os
from typing import Any

from lambda_asgi import Handler
from tests.suites.programs.parts import failing, parts


def django() -> Any:
    """Django's ASGI handler."""
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
    from django.urls import path

    def echo(request: HttpRequest) -> HttpResponse:
        response = HttpResponse(request.body, content_type="text/plain")
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    async def stream(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(parts(), content_type="text/plain")

    async def fail(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(failing(), content_type="text/plain")

    patterns = [path("echo", echo), path("stream", stream), path("fail", fail)]
    urls = type("Urls", (), {"urlpatterns": patterns})
    settings.configure(ROOT_URLCONF=urls, ALLOWED_HOSTS=["*"], SECRET_KEY="of-tests", USE_TZ=True)
    return get_asgi_application()


def quart() -> Any:
    """Quart."""
    from quart import Quart, Response, request

    app = Quart(__name__)

    @app.post("/echo")
    async def echo() -> Response:
        response = Response(await request.get_data(), content_type="text/plain")
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    @app.get("/stream")
    async def stream() -> Response:
        return Response(parts(), content_type="text/plain")

    @app.get("/fail")
    async def fail() -> Response:
        return Response(failing(), content_type="text/plain")

    return app


def litestar() -> Any:
    """Litestar, which reads annotations from a module's names."""
    from tests.suites.programs.litestar_app import app

    return app


def sse_starlette() -> Any:
    """sse-starlette's response in Starlette."""
    from sse_starlette.sse import EventSourceResponse
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def echo(request: Request) -> Response:
        response = Response(await request.body(), media_type="text/plain")
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    async def stream(request: Request) -> Response:
        return EventSourceResponse({"data": part.decode()} async for part in parts())

    async def fail(request: Request) -> Response:
        return EventSourceResponse({"data": part.decode()} async for part in failing())

    paths = {"/stream": stream, "/fail": fail}
    routes = [Route(path, endpoint) for path, endpoint in paths.items()]
    return Starlette(routes=[*routes, Route("/echo", echo, methods=["POST"])])


_APPS = {"django": django, "quart": quart, "litestar": litestar, "sse_starlette": sse_starlette}
handler = Handler(_APPS[os.environ["FRAMEWORK"]]())
