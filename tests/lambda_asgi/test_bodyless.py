"""HEAD, 204 and 304: answers that have no body are whole with their start."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from lambda_asgi import Handler
from lambda_asgi.types import Receive, Scope, Send
from tests.lambda_asgi.test_runtime import ERROR_TYPE, URL, V2, body, running, start

BODYLESS = [("HEAD", 200), ("GET", 204), ("GET", 304), ("HEAD", 404)]


def event_of(method: str, event: dict[str, Any] = URL) -> dict[str, Any]:
    """A front door's event with this method."""
    http = {**event["requestContext"]["http"], "method": method}
    return {**event, "requestContext": {**event["requestContext"], "http": http}}


@pytest.mark.parametrize(("method", "status"), BODYLESS)
async def test_endless_stream_ends_at_its_start(method: str, status: int) -> None:
    """The response of an app that never stops sending is completed, and the app is stopped."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await send(start(status, (b"x-a", b"1")))
        while True:
            await send(body(b"part", more=True))
            await asyncio.sleep(0)

    async with running(app) as api:
        got = await api.invoke(event_of(method)).finished()
        again = await api.invoke(event_of(method)).finished()
        whole = json.loads((await api.invoke(event_of(method, V2)).finished()).body)

    assert (got.path, got.prelude["statusCode"], got.payload) == ("response", status, b"")
    assert (got.prelude["headers"], got.trailers) == ({"x-a": "1"}, {})
    assert (again.path, again.trailers) == ("response", {})
    assert (whole["statusCode"], whole["body"], whole["headers"]["x-a"]) == (status, "", "1")


async def test_status_leaves_before_the_body_is_made() -> None:
    """The answer to HEAD is out while the app still works on the body that GET would have."""
    gate = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await send(start())
        await gate.wait()
        await send(body(b"late"))

    async with running(app) as api:
        got = await api.invoke(event_of("HEAD")).finished()
        assert not gate.is_set()
        gate.set()
        assert (await api.invoke(event_of("HEAD")).finished()).path == "response"
    assert (got.prelude["statusCode"], got.payload) == (200, b"")


async def test_framework_s_endless_stream_ends() -> None:
    """Starlette hears of the disconnect and stops its stream; the next request is served."""

    async def parts() -> AsyncIterator[str]:
        while True:
            yield "x"
            await asyncio.sleep(0.001)

    async def endless(request: Request) -> StreamingResponse:
        return StreamingResponse(parts())

    app = Starlette(routes=[Route("/{path:path}", endless, methods=["HEAD"])])
    async with running(app) as api:
        for event in (URL, V2, URL):
            assert (await api.invoke(event_of("HEAD", event)).finished()).path == "response"


async def test_body_for_head_is_dropped_quietly() -> None:
    """An app that answers HEAD as it answers GET, in two parts, has done nothing wrong."""
    went_on: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await send(start())
        await send(body(b"one", more=True))
        await send(body(b"two"))
        went_on.append(True)

    async with running(Handler(app, environ={})) as api:
        for event in (URL, V2):
            await api.invoke(event_of("HEAD", event)).finished()
        await api.invoke({"Records": []}).finished()
    assert went_on == [True, True]


@pytest.mark.parametrize("event", [URL, V2])
async def test_messages_after_the_last_are_the_app_s_fault(event: dict[str, Any]) -> None:
    """Dropping a body does not make ASGI's order of messages void."""
    refused: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await send(start())
        for message in (start(), body(b"x"), body(b"y")):
            try:
                await send(message)
            except Exception as error:
                refused.append(type(error).__name__)

    async with running(app) as api:
        got = await api.invoke(event_of("HEAD", event)).finished()
        await api.invoke({"Records": []}).finished()
    assert refused == ["UnexpectedMessage", "UnexpectedMessage"]
    assert ERROR_TYPE not in got.trailers
