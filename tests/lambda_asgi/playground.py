"""An app that does what a request tells it to; for tests of the local function URL."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from lambda_asgi import Handler

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"]


async def event(request: Request) -> Response:
    """The event, and what became of it."""
    return JSONResponse(
        {
            "event": request.scope["aws.event"],
            "body": base64.b64encode(await request.body()).decode(),
            "path": request.scope["path"],
            "raw_path": (request.scope["raw_path"] or b"").decode(),
            "url": str(request.url),
            "pid": os.getpid(),
            "context": {
                "trace_id": request.scope["aws.context"].trace_id,
                "cold_start": request.scope["aws.context"].cold_start,
                "left": request.scope["aws.context"].get_remaining_time_in_millis(),
            },
        }
    )


async def cookies(request: Request) -> Response:
    """Two cookies, one with a comma in its date."""
    response = RedirectResponse("/event", status_code=303)
    response.set_cookie("a", "1", expires="Wed, 21 Oct 2099 07:28:00 GMT")
    response.set_cookie("b", "2")
    return response


async def binary(request: Request) -> Response:
    """Every byte there is."""
    return Response(bytes(range(256)), media_type="application/octet-stream")


async def status(request: Request) -> Response:
    """A response of this status, without a body."""
    return Response(status_code=int(request.path_params["code"]))


async def length(request: Request) -> Response:
    """How much was sent."""
    return JSONResponse(len(await request.body()))


async def much(request: Request) -> Response:
    """So many MiB, made as they go."""
    count = int(request.query_params["mib"])

    async def parts() -> AsyncIterator[bytes]:
        for _ in range(count * 16):
            yield b"x" * 65536

    return StreamingResponse(parts())


async def slow(request: Request) -> Response:
    """A part now and a part after so many seconds, with the process's id."""
    seconds = float(request.query_params.get("seconds", "0.5"))

    async def parts() -> AsyncIterator[str]:
        yield f"{os.getpid()}\n"
        await asyncio.sleep(seconds)
        yield "later\n"

    return StreamingResponse(parts())


async def left(request: Request) -> Response:
    """Whether ``/unaware`` was cut short."""
    return JSONResponse(request.app.state.left)


async def unaware(request: Request) -> Response:
    """Many parts; remembers whether it could send them all."""

    async def parts() -> AsyncIterator[str]:
        request.app.state.left = "cut short"
        for _ in range(20):
            yield "x"
            await asyncio.sleep(0.02)
        request.app.state.left = "to the end"

    return StreamingResponse(parts())


async def crash(request: Request) -> Response:
    """The end of the process."""
    os._exit(7)


async def hog(request: Request) -> Response:
    """More memory than there is."""
    held = [bytearray(os.urandom(1)) * (32 * 2**20) for _ in range(16)]
    await asyncio.sleep(5)
    return JSONResponse(len(held))


async def fail(request: Request) -> Response:
    """An exception, before or in the body."""
    if request.query_params["when"] == "before":
        raise ValueError("sk-secret")

    async def parts() -> AsyncIterator[str]:
        yield "begun"
        await asyncio.sleep(0.1)
        raise ValueError("sk-secret")

    return StreamingResponse(parts())


async def deep(request: Request) -> Response:
    """An exception in the body, with the process's id before it and a stack of 5 KB and more."""

    async def descend(frames: int) -> None:
        if not frames:
            raise ValueError("sk-secret")
        await descend(frames - 1)

    async def parts() -> AsyncIterator[str]:
        yield f"{os.getpid()}\n"
        await descend(100)

    return StreamingResponse(parts())


ROUTES = [event, cookies, binary, length, much, slow, left, unaware, crash, hog, fail, deep]
app = Starlette(
    routes=[
        *(Route(f"/{route.__name__}", route, methods=METHODS) for route in ROUTES),
        Route("/status/{code}", status, methods=METHODS),
        Route("/café", event, methods=METHODS),
    ]
)
handler = Handler(app)
