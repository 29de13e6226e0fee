"""The outermost layer, around apps that fail."""

from __future__ import annotations

import io
import itertools
import json
from typing import Any

from aws_lambda_powertools import Logger
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tokenwire.dialects import DIALECTS
from tokenwire.http.middleware import Logged
from tokenwire.telemetry import Emf, Metrics, Recorder


class Invocation:
    """As Lambda's context."""

    aws_request_id = "req-of-lambda"
    memory_limit_in_mb = 512

    def get_remaining_time_in_millis(self) -> int:
        """Plenty."""
        return 10_000


NUMBERS = itertools.count()
START: Message = {"type": "http.response.start", "status": 200, "headers": []}


async def served(app: ASGIApp) -> tuple[list[Message], str]:
    """What one request to the wrapped app sends and logs."""
    out, sent = io.StringIO(), list[Message]()
    logger = Logger(service=f"middleware-{next(NUMBERS)}", stream=out)

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/v1/chat/completions",
        "headers": [],
    }
    await Logged(app, Recorder(logger, Metrics(lambda: 0, lambda: 0)), DIALECTS)(
        scope, receive, send
    )
    return sent, out.getvalue()


async def test_surprise_is_answered() -> None:
    """An unexpected error is a 500 in the caller's dialect; its text does not get out."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError("sk-secret in a prompt")

    sent, logged = await served(app)

    assert sent[0]["status"] == 500
    assert json.loads(sent[1]["body"])["error"]["code"] == "internal_error"
    assert "secret" not in logged + repr(sent)
    surprise, request = map(json.loads, logged.splitlines())
    assert surprise["kind"] == "ValueError"
    assert "test_middleware.py" in surprise["at"]
    assert request["error"]["type"] == "internal_error"


async def test_surprise_in_mid_body_is_not_ended() -> None:
    """Once a body has begun, a failure leaves it unended, so that the server aborts it."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(START)
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        raise ValueError("sk-secret")

    sent, logged = await served(app)

    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    assert sent[-1]["more_body"]
    assert "secret" not in logged


async def test_failures_are_sent_to_cloudwatch() -> None:
    """With a namespace a failed request writes one EMF line too; the log names its invocation."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise ValueError

    out, lines = io.StringIO(), io.StringIO()
    logger = Logger(service=f"middleware-{next(NUMBERS)}", stream=lines)
    logged = Logged(
        app, Recorder(logger, Metrics(lambda: 0, lambda: 0), Emf("tokenwire", out)), DIALECTS
    )
    context = Invocation()
    scope = {"type": "http", "method": "GET", "path": "/", "headers": [], "aws.context": context}

    async def nothing(*_: Any) -> Any:
        return {"type": "http.request"}

    await logged(scope, nothing, nothing)

    assert json.loads(out.getvalue())["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "tokenwire"
    assert "req-of-lambda" in lines.getvalue()


async def test_other_scopes_pass() -> None:
    """Lifespan and websocket are not requests."""
    received = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        received.append(scope["type"])

    async def nothing(*_: Any) -> Any:
        raise AssertionError

    logged = Logged(app, Recorder(Logger(service="none"), Metrics(lambda: 0, lambda: 0)), DIALECTS)
    await logged({"type": "lifespan"}, nothing, nothing)
    assert received == ["lifespan"]
