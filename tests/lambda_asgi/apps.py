"""Apps for tests that start the runtime as a process: each a handler by name."""

from __future__ import annotations

import gc
import json
import os
import sys
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

from litestar import Litestar, get
from litestar.response import Stream
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from lambda_asgi import Handler


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
    """State that every request sees, and a last word."""
    yield {"greeting": "hello"}
    sys.stderr.write("closed in order\n")


async def greet(request: Request) -> PlainTextResponse:
    """Say what the lifespan left."""
    return PlainTextResponse(request.state.greeting)


async def count(request: Request) -> StreamingResponse:
    """Stream three numbers."""

    async def numbers() -> AsyncIterator[str]:
        for number in range(3):
            yield f"{number} "

    return StreamingResponse(numbers())


starlette = Handler(
    Starlette(
        routes=[Route("/greet", greet), Route("/count", count)],
        lifespan=lifespan,
    )
)


@get("/count", sync_to_thread=False)
def litestar_count() -> Stream:
    """Stream three numbers."""

    async def numbers() -> AsyncIterator[str]:
        for number in range(3):
            yield f"{number} "

    return Stream(numbers())


litestar = Handler(Litestar([litestar_count]))


@asynccontextmanager
async def failing(app: Starlette) -> AsyncIterator[None]:
    """A start that does not work."""
    if app.routes == []:
        raise RuntimeError("sk-secret")
    yield


broken = Handler(Starlette(lifespan=failing))
not_a_handler = 5


async def plain(scope: Any, receive: Any, send: Any) -> None:
    """An app that knows nothing of lifespans."""
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"plain"})


bare = Handler(plain)


collector = {"import": gc.get_threshold()[0]}


async def heap(scope: Any, receive: Any, send: Any) -> None:
    """Report how the garbage collector was set in each phase."""
    if scope["type"] == "lifespan":
        await receive()
        collector["startup"] = gc.get_threshold()[0]
        if os.environ.get("GC_THRESHOLD"):
            gc.set_threshold(int(os.environ["GC_THRESHOLD"]))
        await send({"type": "lifespan.startup.complete"})
        return
    found = {
        **collector,
        "request": gc.get_threshold()[0],
        "enabled": gc.isenabled(),
        "frozen": gc.get_freeze_count() > 10_000,
        "cycle": cycle() is not None,
    }
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(found).encode()})


class Node:
    """Refers to itself, so that only the collector can free it."""

    def __init__(self) -> None:
        self.itself = self


# Garbage from the start.
cycle = weakref.ref(Node())
heap_report = Handler(heap)


async def boto(scope: Any, receive: Any, send: Any) -> None:
    """Invoke a function with boto3, which an event of its own answers: the trace header sent."""
    import boto3
    from botocore.awsrequest import AWSPreparedRequest, AWSResponse
    from botocore.compat import HTTPHeaders

    assert scope["type"] == "http"
    sent: list[str] = []

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        trace_id = request.headers["X-Amzn-Trace-Id"]
        sent.append(trace_id if isinstance(trace_id, str) else trace_id.decode())
        return AWSResponse(request.url, 202, HTTPHeaders(), BytesIO())

    client: Any = boto3.client("lambda")
    client.meta.events.register("before-send.lambda.Invoke", answer)
    client.invoke(FunctionName="f", InvocationType="Event")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": sent[0].encode()})


calls_itself = Handler(boto)
