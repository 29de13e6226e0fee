"""The runtime loop against a scripted Runtime API, byte by byte."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lambda_asgi import Handler
from lambda_asgi.cycle import UnexpectedMessage
from lambda_asgi.runtime import Runtime
from lambda_asgi.types import ASGIApp, Receive, Scope, Send
from tests.fakes.runtime_api import RuntimeApi, runtime_api

URL: dict[str, Any] = json.loads(Path("events/function-url.json").read_text())
V2: dict[str, Any] = json.loads(Path("events/http-api-v2.json").read_text())
REST: dict[str, Any] = json.loads(Path("events/rest-api-v1.json").read_text())
ALB: dict[str, Any] = json.loads(Path("events/alb.json").read_text())
ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
ERROR_BODY = "Lambda-Runtime-Function-Error-Body"


@asynccontextmanager
async def running(handler: Handler | ASGIApp, concurrency: int = 1) -> AsyncIterator[RuntimeApi]:
    """A Runtime API, and our loop polling it."""
    if not isinstance(handler, Handler):
        handler = Handler(handler, environ={})
    async with runtime_api() as api:
        environ = {
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_MAX_CONCURRENCY": str(concurrency),
            "AWS_LAMBDA_FUNCTION_NAME": "f",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        }
        runtime = Runtime(environ)
        serving = asyncio.create_task(runtime.run(handler))
        yield api
        runtime.stop()
        await asyncio.wait([serving])


def start(status: int = 200, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    """The first message of a response."""
    return {"type": "http.response.start", "status": status, "headers": list(headers)}


def body(data: bytes = b"", more: bool = False) -> dict[str, Any]:
    """A part of its body."""
    return {"type": "http.response.body", "body": data, "more_body": more}


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """Says the request's path, and what it was sent."""
    message = await receive()
    await send(start(200, (b"Content-Type", b"text/plain")))
    await send(body(scope["path"].encode(), more=True))
    await send(body(message["body"]))


async def test_streams_prelude_then_body() -> None:
    """The exact form of a streamed response: headers, prelude, NULs, chunks as they were sent."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(
            start(
                201,
                (b"Content-Type", b"text/event-stream"),
                (b"Set-Cookie", b"a=1"),
                (b"set-cookie", b"b=2; Path=/"),
                (b"Vary", b"a"),
                (b"vary", b"b"),
                (b"content-length", b"3"),
            )
        )
        for part in (b"one", b"", b"two"):
            await send(body(part, more=True))
        await send(body())

    async with running(app) as api:
        got = await api.invoke(URL).finished()

    assert got.path == "response"
    assert got.sent["Content-Type"] == "application/vnd.awslambda.http-integration-response"
    assert got.sent["Lambda-Runtime-Function-Response-Mode"] == "streaming"
    assert got.sent["Transfer-Encoding"] == "chunked"
    assert got.sent["Trailer"] == f"{ERROR_TYPE}, {ERROR_BODY}"
    assert got.prelude == {
        "statusCode": 201,
        "headers": {"content-type": "text/event-stream", "vary": "a, b"},
        "cookies": ["a=1", "b=2; Path=/"],
    }
    assert got.payload == b"onetwo"
    assert len(got.chunks) == 2
    assert got.trailers == {}


async def test_first_byte_before_last_is_made() -> None:
    """A part is on the wire while the app still waits to make the next."""
    gate = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(b"one", more=True))
        await gate.wait()
        await send(body(b"two"))

    async with running(app) as api:
        exchange = api.invoke(URL)
        await exchange.until(b"one")
        assert b"two" not in exchange.body
        gate.set()
        await exchange.finished()
    assert exchange.payload == b"onetwo"


async def test_scope_has_event_and_context() -> None:
    """An app sees the request, the event, the invocation, and the environment's state."""
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        seen.append(scope)
        await send(start())
        await send(body(b"x"))

    async with running(app) as api:
        event = {**URL, "rawPath": "/caf%C3%A9", "rawQueryString": "a=1&a=2"}
        event["requestContext"] = {
            **URL["requestContext"],
            "http": {**URL["requestContext"]["http"], "path": "/caf%C3%A9"},
        }
        await api.invoke(
            event,
            Trace_Id="Root=1",
            Aws_Tenant_Id="t",
            Client_Context='{"a":1}',
            Deadline_Ms="soon",
        ).finished()
        await api.invoke(URL).finished()

    first, second = seen
    assert (first["method"], first["path"], first["raw_path"]) == ("POST", "/café", b"/caf%C3%A9")
    assert first["query_string"] == b"a=1&a=2"
    assert dict(first["headers"])[b"cookie"] == b"a=1; b=2"
    assert first["client"][0] == "203.0.113.7"
    assert first["aws.event"]["version"] == "2.0"
    context = first["aws.context"]
    assert (context.aws_request_id, context.trace_id, context.tenant_id) == ("req-1", "Root=1", "t")
    assert (context.client_context, context.cold_start) == ({"a": 1}, True)
    assert (context.function_name, context.memory_limit_in_mb) == ("f", 512)
    assert context.get_remaining_time_in_millis() > 800_000
    assert not second["aws.context"].cold_start
    assert second["aws.context"].get_remaining_time_in_millis() > 0


@pytest.mark.parametrize("split", [1, 3, 64])
async def test_split_reads_are_whole(split: int) -> None:
    """However the Runtime API's answers are cut, the event is the same."""
    async with running(hello) as api:
        api.split = split
        got = await api.invoke({**URL, "body": "aGk=", "isBase64Encoded": True}).finished()
    assert got.payload == b"/api/streamhi"


async def test_one_connection_serves_many() -> None:
    """The poller's connection is kept alive, streamed responses or not."""
    async with running(hello) as api:
        for event in (URL, V2, URL):
            await api.invoke(event).finished()
        assert api.connections == 1


async def test_dead_connection_is_replaced() -> None:
    """A connection that died while the environment was frozen costs nothing but a new one."""
    async with running(hello) as api:
        api.die_on_next = 3
        await api.invoke(URL).finished()
        assert api.connections >= 3


async def test_invocation_id_is_echoed() -> None:
    """Where Lambda gives one, it comes back with every kind of answer."""

    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError

    for app, event in ((hello, URL), (hello, V2), (failing, URL), (failing, V2)):
        async with running(app) as api:
            got = await api.invoke(event, Invocation_Id="inv-1").finished()
        assert got.sent["Lambda-Runtime-Invocation-Id"] == "inv-1"


@pytest.mark.parametrize("event", [URL, V2, {"Records": []}])
async def test_user_agent_has_name_and_version(event: dict[str, Any]) -> None:
    """Streamed, buffered or an error: the Runtime API sees which runtime it is."""
    async with running(hello) as api:
        got = await api.invoke(event).finished()
    assert re.fullmatch(r"lambda-asgi/\d+\.\d+\.\d+ python/3\.\d+\.\d+\S*", got.sent["User-Agent"])


@pytest.mark.parametrize(
    ("method", "status", "headers", "payload"),
    [
        ("GET", 200, (), b"\n"),
        ("GET", 200, ((b"content-type", b"text/event-stream; charset=utf-8"),), b":\n\n"),
        ("GET", 302, ((b"location", b"/x"),), b"\n"),
        ("GET", 204, (), b""),
        ("GET", 304, (), b""),
        ("HEAD", 200, (), b""),
    ],
)
async def test_empty_body_is_never_silent(
    method: str, status: int, headers: tuple[tuple[bytes, bytes], ...], payload: bytes
) -> None:
    """A function URL that is sent no byte may hang; where a body is forbidden there is none."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(status, *headers))
        await send(body(b"ignored" if method == "HEAD" else b""))

    context = {**URL["requestContext"], "http": {**URL["requestContext"]["http"], "method": method}}
    async with running(app) as api:
        got = await api.invoke({**URL, "requestContext": context}).finished()
    assert (got.prelude["statusCode"], got.payload) == (status, payload)


Raising = Callable[[Send], Awaitable[None]]


async def before(send: Send) -> None:
    """Nothing sent."""
    raise ValueError("sk-secret")


async def after_start(send: Send) -> None:
    """A start, which has not been written yet."""
    await send(start())
    raise ValueError("sk-secret")


async def never(send: Send) -> None:
    """An app that returns and has sent nothing."""


async def twice(send: Send) -> None:
    """A second start, before any body."""
    await send(start())
    await send(start())


@pytest.mark.parametrize(
    ("fails", "kind"),
    [
        (before, "Function.ValueError"),
        (after_start, "Function.ValueError"),
        (never, "Function.IncompleteResponse"),
        (twice, "Function.UnexpectedMessage"),
    ],
)
async def test_failure_before_body_is_an_error(
    fails: Raising, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Until a byte is written a failure goes to /error, without the exception's text."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await fails(send)

    async with running(app) as api:
        got = await api.invoke(URL).finished()
        again = await api.invoke({**URL, "x": 1}).finished()

    assert (got.path, got.sent[ERROR_TYPE]) == ("error", kind)
    failure = json.loads(got.body)
    assert failure["errorType"] == kind
    assert "secret" not in json.dumps(failure) + capsys.readouterr().err
    assert again.path == "error"


async def unended(send: Send) -> None:
    """A body without an end."""
    await send(body(b"x", more=True))


async def raising(send: Send) -> None:
    """A failure in mid-body."""
    await send(body(b"x", more=True))
    raise ValueError("sk-secret")


@pytest.mark.parametrize(
    ("fails", "kind"),
    [(raising, "Function.ValueError"), (unended, "Function.IncompleteResponse")],
)
async def test_failure_in_body_is_a_trailer(fails: Raising, kind: str) -> None:
    """After a byte it is sent in real HTTP trailers; the body contains nothing of it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await fails(send)

    async with running(app) as api:
        got = await api.invoke(URL).finished()

    assert (got.path, got.payload) == ("response", b"x")
    assert got.trailers[ERROR_TYPE] == kind
    failure = json.loads(base64.b64decode(got.trailers[ERROR_BODY]))
    assert failure["errorType"] == kind
    assert "secret" not in json.dumps(failure)


async def test_message_after_end_is_the_app_s_fault() -> None:
    """An app that continues after its end gets an error; its response was complete."""
    caught: list[Exception] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(b"x"))
        try:
            await send(body(b"y"))
        except UnexpectedMessage as error:
            caught.append(error)

    async with running(app) as api:
        got = await api.invoke(URL).finished()
    assert (got.payload, got.trailers, len(caught)) == (b"x", {}, 1)


async def test_deadline_is_a_disconnect() -> None:
    """Shortly before the deadline the app receives a disconnect, and can send its end."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(start())
        await send(body(b"going on", more=True))
        assert (await receive())["type"] == "http.disconnect"
        await send(body(b", sent in time"))

    async with running(app) as api:
        deadline = int(time.time() * 1000) + 700
        got = await api.invoke(URL, Deadline_Ms=str(deadline)).finished()
    assert got.payload == b"going on, sent in time"


async def test_writes_wait_for_the_socket() -> None:
    """While Lambda does not read, the app cannot send more than buffers hold."""
    sent = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        assert scope["type"] == "http"
        await send(start())
        for _ in range(400):
            await send(body(b"x" * 65536, more=True))
            sent += 65536
        await send(body())

    async with running(app) as api:
        api.paused.clear()
        exchange = api.invoke(URL)
        settled = -1
        while settled != sent or not sent:
            settled = sent
            await asyncio.sleep(0.2)
        assert sent < 16 * 2**20
        api.paused.set()
        await asyncio.wait_for(exchange.done.wait(), 30)
    assert len(exchange.payload) == 400 * 65536


async def test_lambda_hanging_up_stops_the_app() -> None:
    """When the response's connection breaks, send raises OSError, and polling goes on."""
    caught: list[type[BaseException]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        try:
            for _ in range(1000):
                await send(body(b"x" * 65536, more=True))
                await asyncio.sleep(0)
        except OSError as error:
            caught.append(type(error))
            raise

    async with running(app) as api:
        api.invoke(URL, hang_up=True)
        got = api.invoke(URL, hang_up=True)
        await got.until(b"x")
    assert caught


@pytest.mark.parametrize("status", [400, 410, 413])
async def test_refused_answers_are_survived(status: int) -> None:
    """Timed out, too large or broken off: the next invocation is served."""
    async with running(hello) as api:
        await api.invoke(URL, status=status).finished()
        assert (await api.invoke(URL).finished()).payload.startswith(b"/api/stream")


async def test_failing_runtime_api_ends_the_runtime() -> None:
    """When the Runtime API is done with this environment, so are we: 500 and 403 say to exit."""
    async with runtime_api() as api:
        environ = {"AWS_LAMBDA_RUNTIME_API": api.address}
        for event, status in ((URL, 500), (URL, 403), (V2, 403), ({"Records": []}, 403)):
            api.invoke(event, status=status)
            assert await asyncio.wait_for(Runtime(environ).run(Handler(hello, environ={})), 10) == 1
        api.next_status = 403
        assert await asyncio.wait_for(Runtime(environ).run(Handler(hello, environ={})), 10) == 1


async def test_vanished_runtime_api_ends_the_runtime() -> None:
    """Nothing answers: a few tries, then an exit with the reason."""
    async with runtime_api() as api:
        environ = {"AWS_LAMBDA_RUNTIME_API": api.address}
        api.die_on_next = 100
        assert await asyncio.wait_for(Runtime(environ).run(Handler(hello, environ={})), 20) == 1


async def test_concurrent_streams_interleave() -> None:
    """N invocations share one loop; one that fails does not disturb the others."""
    gates = {name: asyncio.Event() for name in "abc"}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].strip("/")
        await send(start())
        await send(body(f"{name}1".encode(), more=True))
        await gates[name].wait()
        if name == "b":
            raise ValueError
        await send(body(f"{name}2".encode()))

    def at(path: str) -> dict[str, Any]:
        http = {**URL["requestContext"]["http"], "path": path}
        return {**URL, "rawPath": path, "requestContext": {**URL["requestContext"], "http": http}}

    async with running(app, concurrency=3) as api:
        a, b, c = (api.invoke(at(f"/{name}")) for name in "abc")
        for exchange, name in ((a, "a"), (b, "b"), (c, "c")):
            await exchange.until(f"{name}1".encode())
        for name in "cba":
            gates[name].set()
        await asyncio.gather(a.finished(), b.finished(), c.finished())

    assert (a.payload, a.trailers) == (b"a1a2", {})
    assert (c.payload, c.trailers) == (b"c1c2", {})
    assert (b.payload, b.trailers[ERROR_TYPE]) == (b"b1", "Function.ValueError")


@pytest.mark.parametrize("event", [V2, REST, ALB])
async def test_other_front_doors_are_buffered(event: dict[str, Any]) -> None:
    """HTTP API, REST and ALB get their own JSON, whole."""
    async with running(hello) as api:
        got = await api.invoke(event).finished()
    response = json.loads(got.body)
    assert (response["statusCode"], response["body"]) == (200, "/healthz")
    assert "Lambda-Runtime-Function-Response-Mode" not in got.sent


async def test_rest_streams_by_choice() -> None:
    """A REST API's event does not say that its integration streams; the app's author does."""
    async with running(Handler(hello, stream_rest=True, environ={})) as api:
        got = await api.invoke(REST).finished()
        other = await api.invoke(ALB).finished()
    assert got.payload == b"/healthz"
    assert json.loads(other.body)["statusCode"] == 200


async def test_sam_is_answered_buffered() -> None:
    """Under SAM even a function URL's event is answered in one piece."""
    async with running(Handler(hello, environ={"AWS_SAM_LOCAL": "true"})) as api:
        got = await api.invoke(URL).finished()
    assert json.loads(got.body)["statusCode"] == 200


async def test_other_events_go_to_on_event() -> None:
    """Events that are not HTTP go to ``on_event``, or are refused with a type of their own."""

    async def on_event(event: dict[str, Any], context: Any) -> object:
        return {"took": event["job"], "by": context.function_name}

    async with running(Handler(hello, on_event=on_event, environ={})) as api:
        got = await api.invoke({"job": 7}).finished()
    assert json.loads(got.body) == {"took": 7, "by": "f"}
    async with running(hello) as api:
        got = await api.invoke({"job": 7}).finished()
    assert (got.path, got.sent[ERROR_TYPE]) == ("error", "Runtime.UnsupportedEvent")


@pytest.mark.parametrize("fails", [before, after_start, never, twice])
async def test_buffered_failures_are_errors(fails: Raising) -> None:
    """Buffered, every failure is an error of the invocation."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await fails(send)

    async with running(app) as api:
        got = await api.invoke(V2).finished()
    assert got.path == "error"
