"""What becomes of streams in flight when an environment ends: one failed poller, or SIGTERM."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from lambda_asgi import Handler
from lambda_asgi.runtime import Runtime
from lambda_asgi.types import ASGIApp, Receive, Scope, Send
from tests.fakes.runtime_api import Exchange, RuntimeApi, runtime_api
from tests.lambda_asgi.test_runtime import ERROR_BODY, ERROR_TYPE, URL, V2, body, start


class Gated:
    """An app that begins to answer, and ends when the test lets it."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.stopped: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self.live(receive, send)
            return
        await send(start())
        if scope["path"] == "/quick":
            await send(body(b"quick"))
            return
        await send(body(b"begun", more=True))
        await self.gate.wait()
        await send(body(b" ended"))

    async def live(self, receive: Receive, send: Send) -> None:
        """The lifespan."""
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self.stopped.append("in order")
        await send({"type": "lifespan.shutdown.complete"})


def at(path: str) -> dict[str, Any]:
    """A function URL's request for a path."""
    http = {**URL["requestContext"]["http"], "path": path}
    return {**URL, "rawPath": path, "requestContext": {**URL["requestContext"], "http": http}}


@asynccontextmanager
async def serving(
    app: ASGIApp, concurrency: int = 1
) -> AsyncIterator[tuple[RuntimeApi, Runtime, asyncio.Task[int]]]:
    """A Runtime API, our loop, and its end."""
    async with runtime_api() as api:
        environ = {
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_MAX_CONCURRENCY": str(concurrency),
        }
        runtime = Runtime(environ)
        yield api, runtime, asyncio.create_task(runtime.run(Handler(app, environ={})))


def error_of(exchange: Exchange) -> str:
    """The error's type, as header and body of the trailers agree on it."""
    failure = json.loads(base64.b64decode(exchange.trailers[ERROR_BODY]))
    assert failure["errorType"] == exchange.trailers[ERROR_TYPE]
    return str(failure["errorType"])


@pytest.mark.parametrize("refused", ["next", "response"])
async def test_one_refused_poller_cuts_no_other_stream(refused: str) -> None:
    """A 500 for one poller: the others take no more, finish what they have, and then we exit."""
    app = Gated()
    async with serving(app, concurrency=4) as (api, _, ended):
        streams = [api.invoke(at("/slow")) for _ in range(2)]
        for stream in streams:
            await stream.until(b"begun")
        if refused == "next":
            api.next_status = 500
        await api.invoke(at("/quick"), status=500 if refused == "response" else 202).finished()
        await asyncio.sleep(0.2)
        assert not ended.done()
        app.gate.set()
        for stream in streams:
            await stream.finished()
        assert await asyncio.wait_for(ended, 10) == 1
    for stream in streams:
        assert (stream.payload, stream.trailers) == (b"begun ended", {})
    assert app.stopped == ["in order"]


async def test_stream_that_ends_in_time_is_whole_after_sigterm() -> None:
    """SIGTERM cuts nothing that ends by itself within the second that there is."""
    app = Gated()
    async with serving(app, concurrency=2) as (api, runtime, ended):
        stream = api.invoke(at("/slow"))
        await stream.until(b"begun")
        runtime.stop()
        await asyncio.sleep(0.1)
        app.gate.set()
        await stream.finished()
        assert await asyncio.wait_for(ended, 10) == 0
    assert (stream.payload, stream.trailers) == (b"begun ended", {})
    assert app.stopped == ["in order"]


async def test_stream_that_does_not_end_is_reported() -> None:
    """What SIGTERM cuts ends with trailers that say so; then the app shuts down in order."""
    app = Gated()
    async with serving(app) as (api, runtime, ended):
        stream = api.invoke(at("/slow"))
        await stream.until(b"begun")
        runtime.stop()
        runtime.stop()
        await stream.finished()
        assert await asyncio.wait_for(ended, 10) == 0
    assert (stream.path, stream.payload) == ("response", b"begun")
    assert error_of(stream) == "Runtime.EnvironmentStopped"
    assert app.stopped == ["in order"]


async def test_app_that_listens_hears_of_sigterm() -> None:
    """Before it is cut, a stream receives ``http.disconnect``, and can send its end."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await receive()
        await send(start())
        await send(body(b"begun", more=True))
        assert (await receive())["type"] == "http.disconnect"
        await send(body(b", and closed"))

    async with serving(app) as (api, runtime, ended):
        stream = api.invoke(URL)
        await stream.until(b"begun")
        runtime.stop()
        await stream.finished()
        assert await asyncio.wait_for(ended, 10) == 0
    assert (stream.payload, stream.trailers) == (b"begun, and closed", {})


async def test_deaf_runtime_api_does_not_hold_up_the_end() -> None:
    """A Runtime API that takes nothing after SIGTERM: the app still shuts down, and we exit."""
    app = Gated()
    async with serving(app) as (api, runtime, ended):
        stream = api.invoke(at("/slow"))
        await stream.until(b"begun")
        api.paused.clear()
        app.gate.set()
        runtime.stop()
        assert await asyncio.wait_for(ended, 10) == 0
        assert not stream.done.is_set()
        api.paused.set()
    assert app.stopped == ["in order"]


@pytest.mark.parametrize("event", [URL, V2])
async def test_deadline_is_named(event: dict[str, Any]) -> None:
    """A framework that stops its stream at the deadline's notice has not left it incomplete."""

    async def parts() -> AsyncIterator[str]:
        while True:
            yield "x"
            await asyncio.sleep(0.01)

    async def endless(request: Request) -> StreamingResponse:
        return StreamingResponse(parts())

    app = Starlette(routes=[Route("/{path:path}", endless, methods=["GET", "POST"])])
    async with serving(app) as (api, runtime, ended):
        deadline = int(time.time() * 1000) + 1000
        got = await api.invoke(event, Deadline_Ms=str(deadline)).finished()
        runtime.stop()
        assert await asyncio.wait_for(ended, 10) == 0
    kind = error_of(got) if got.path == "response" else got.sent[ERROR_TYPE]
    assert (got.path, kind) == (
        "response" if event is URL else "error",
        "Function.DeadlineExceeded",
    )
