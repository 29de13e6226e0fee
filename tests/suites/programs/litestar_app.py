"""The three routes in Litestar."""

from typing import Any

from litestar import Litestar, Request, Response, get, post
from litestar.response import Stream

from tests.suites.programs.parts import failing, parts


@post("/echo")
async def echo(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Return the body, and two cookies."""
    response = Response(await request.body(), media_type="text/plain", status_code=200)
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


@get("/stream")
async def stream() -> Stream:
    """Stream two parts."""
    return Stream(parts(), media_type="text/plain")


@get("/fail")
async def fail() -> Stream:
    """Fail in mid-stream."""
    return Stream(failing(), media_type="text/plain")


app = Litestar([echo, stream, fail])
