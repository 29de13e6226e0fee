"""The handler as the stock runtime calls it, and the hooks of SnapStart."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
import snapshot_restore_py
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from lambda_asgi import Context, Handler
from lambda_asgi.handler import UnsupportedEvent
from lambda_asgi.http1 import Head
from lambda_asgi.lifespan import Lifespan
from lambda_asgi.runtime import Runtime
from lambda_asgi.types import Receive, Scope, Send
from tests.fakes.runtime_api import RuntimeApi, runtime_api
from tests.lambda_asgi.test_runtime import ALB, REST, URL, V2

CONTEXT = Context("req-1", 0)


async def where(request: Request) -> Response:
    """What the request looked like."""
    return JSONResponse(
        {
            "client": request.client and request.client.host,
            "id": request.scope["aws.context"].aws_request_id,
        }
    )


async def odd(request: Request) -> Response:
    """A redirect with two cookies."""
    response = RedirectResponse("/x")
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


async def binary(request: Request) -> Response:
    """Bytes that are not text."""
    return Response(b"\x00\xff", media_type="application/octet-stream")


APP = Starlette(routes=[Route("/healthz", where), Route("/odd", odd), Route("/bin", binary)])


@pytest.mark.parametrize("event", [V2, REST, ALB])
def test_stock_runtime_gets_buffered_answers(event: dict[str, Any]) -> None:
    """Each front door's event, by an ordinary call; and again, on the same loop."""
    with closing(Handler(APP, environ={})) as handler:
        for _ in range(2):
            payload = handler(event, CONTEXT)
            assert payload["statusCode"] == 200
            assert json.loads(payload["body"]) == {"client": "203.0.113.7", "id": "req-1"}


def test_cookies_and_bytes_survive() -> None:
    """Cookies stand apart; what is not text is base64."""

    def at(path: str) -> dict[str, Any]:
        http = {**V2["requestContext"]["http"], "path": path}
        return {**V2, "requestContext": {**V2["requestContext"], "http": http}}

    with closing(Handler(APP, environ={})) as handler:
        payload = handler(at("/odd"), CONTEXT)
        assert (payload["statusCode"], len(payload["cookies"])) == (307, 2)
        payload = handler(at("/bin"), CONTEXT)
        assert (payload["body"], payload["isBase64Encoded"]) == ("AP8=", True)


def test_function_url_is_buffered_here() -> None:
    """The stock runtime cannot stream, so its responses are buffered."""
    with closing(Handler(APP, environ={})) as handler:
        assert handler({**URL, "body": ""}, CONTEXT)["statusCode"] == 404


def test_unknown_events_raise() -> None:
    """Nothing is guessed."""
    with closing(Handler(APP, environ={})) as handler, pytest.raises(UnsupportedEvent):
        handler({"Records": []}, CONTEXT)


def test_close_ends_the_lifespan() -> None:
    """The app shuts down, tasks that it left behind are cancelled, and nothing is pending."""
    events: list[str] = []

    async def left_behind() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            events.append("cancelled")

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Any]]:
        events.append("up")
        task = asyncio.create_task(left_behind())
        yield {"task": task}
        events.append("down")

    handler = Handler(Starlette(routes=APP.routes, lifespan=lifespan), environ={})
    handler.close()
    for _ in range(2):
        assert handler(V2, CONTEXT)["statusCode"] == 200
        handler.close()
        handler.close()
    assert events == ["up", "down", "cancelled"] * 2


@pytest.mark.outside
def test_exit_of_the_stock_runtime_ends_the_lifespan() -> None:
    """Where nothing calls ``close``, the interpreter's exit does."""
    program = (
        "import json, pathlib\n"
        "from tests.lambda_asgi.apps import starlette\n"
        "event = json.loads(pathlib.Path('events/http-api-v2.json').read_text())\n"
        "print(starlette(event, None)['statusCode'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", program], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "404\n", "closed in order\n")


async def test_lifespan_failure_is_raised() -> None:
    """An app that reports a failed startup does not start; one without lifespan support does."""

    async def mute(scope: Scope, receive: Receive, send: Send) -> None:
        raise TypeError("not my protocol")

    lifespan = Lifespan(mute)
    await lifespan.startup()
    await lifespan.shutdown(1)
    await Lifespan(mute).shutdown(1)


async def test_slow_shutdown_is_not_waited_for() -> None:
    """Lambda leaves two seconds; an app that takes longer is left behind."""

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await receive()

    lifespan = Lifespan(slow)
    await lifespan.startup()
    await lifespan.shutdown(0.05)


def test_context_reads_what_lambda_sends() -> None:
    """Odd or missing headers do not stop an invocation."""
    prefix = "lambda-runtime-"
    fields = ((f"{prefix}client-context", "{nonsense"), (f"{prefix}cognito-identity", "[1]"))
    context = Context.of(Head("HTTP/1.1 200 OK", fields), CONTEXT.function, cold_start=False)
    assert (context.client_context, context.identity) == (None, [1])
    assert context.get_remaining_time_in_millis() > 800_000
    assert (context.function_version, context.log_group_name) == ("$LATEST", "")
    assert context.log_stream_name == ""


async def test_hooks_run_around_the_snapshot() -> None:
    """Before it in reverse order, after it in order; a failing hook is reported."""

    async def later() -> None:
        ran.append("after, awaited")

    ran: list[str] = []
    snapshot_restore_py.register_before_snapshot(ran.append, "before 1")
    snapshot_restore_py.register_before_snapshot(ran.append, "before 2")
    snapshot_restore_py.register_after_restore(ran.append, "after")
    snapshot_restore_py.register_after_restore(later)
    try:
        async with restorable() as (api, runtime):
            serving = asyncio.create_task(runtime.run(Handler(APP, environ={})))
            await api.invoke(V2).finished()
            assert ran == ["before 2", "before 1", "after", "after, awaited"]
            runtime.stop()
            assert await serving == 0
    finally:
        forget_hooks()


@pytest.mark.parametrize(
    ("register", "path", "kind"),
    [
        (
            snapshot_restore_py.register_before_snapshot,
            "/runtime/init/error",
            "Runtime.BeforeSnapshotError",
        ),
        (
            snapshot_restore_py.register_after_restore,
            "/runtime/restore/error",
            "Runtime.AfterRestoreError",
        ),
    ],
)
async def test_failing_hooks_are_reported(
    register: Callable[..., None], path: str, kind: str
) -> None:
    """Lambda hears which side of the snapshot failed, and the process ends with 1."""
    register(lambda: 1 / 0)
    try:
        async with restorable() as (api, runtime):
            assert await runtime.run(Handler(APP, environ={})) == 1
            assert api.posts[path]["errorType"] == kind
    finally:
        forget_hooks()


def forget_hooks() -> None:
    """The registry is one for the whole process."""
    snapshot_restore_py.get_before_snapshot().clear()
    snapshot_restore_py.get_after_restore().clear()


@asynccontextmanager
async def restorable() -> AsyncIterator[tuple[RuntimeApi, Runtime]]:
    """A runtime in an environment with SnapStart."""
    async with runtime_api() as api:
        environ = {
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
        }
        yield api, Runtime(environ)
