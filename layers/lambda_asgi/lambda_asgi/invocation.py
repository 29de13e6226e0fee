"""One invocation: its event through the app, and its outcome to the Runtime API."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from . import logs, wire
from .connection import Connection, Stream
from .context import Context
from .cycle import (
    IncompleteResponse,
    Request,
    ResponseOver,
    StreamedResponse,
    UnexpectedMessage,
)
from .handler import Handler, UnsupportedEvent
from .http1 import Response
from .limit import DeadlineExceeded, EnvironmentStopped, Limit, Limits
from .types import ASGIApp, Scope

T = TypeVar("T")

_OURS = (UnsupportedEvent, IncompleteResponse, UnexpectedMessage)


class RuntimeApiError(Exception):
    """The Runtime API refused in a way after which a runtime has to exit."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event and all that is needed to answer it.

    Args:
        handler: The function.
        connection: The poller's own; free until this invocation is over.
        context: Its context.
        in_full: Whether exceptions are logged with their text.
        limits: Of every invocation of the environment.
    """

    handler: Handler
    connection: Connection
    context: Context
    in_full: bool = False
    limits: Limits = field(default_factory=Limits)

    async def run(self, payload: bytes) -> None:
        """Answer it, one way or another.

        Raises:
            RuntimeApiError: The runtime has to exit.
        """
        try:
            event = json.loads(payload)
            front = self.handler.front_door(event, self.context)
            request = Request(b"" if front is None else front.body)
            scope = {} if front is None else self.handler.scope(front, event)
        except Exception as error:
            await self._report("Runtime.UnmarshalError", error)
            return
        if front is None:
            await self._buffer(self.handler.take(event, self.context), request)
        elif self.handler.streams(event):
            await self._stream(scope, request)
        else:
            await self._buffer(self.handler.buffer(front, scope, request), request)

    async def _buffer(self, answer: Coroutine[Any, Any, object], request: Request) -> None:
        work, limit = await self._in_time(answer, request)
        if (error := _failure(work, limit)) is not None:
            await self._report(_kind(error), error)
            return
        try:
            body = json.dumps(work.result()).encode()
        except (TypeError, ValueError) as bad:
            await self._report("Runtime.MarshalError", bad)
            return
        headers = {"Content-Type": "application/json", **self._echo()}
        await self._deliver(self.connection.request("POST", self._path("response"), headers, body))

    async def _stream(self, scope: Scope, request: Request) -> None:
        headers = {**wire.STREAMED, **self._echo()}
        stream = await self.connection.open_stream(self._path("response"), headers)
        stream.when_answered(request.disconnect)
        response = StreamedResponse(
            request,
            scope["method"],
            stream.write,
            stream.end,
            excluded=self.handler.options.excluded,
        )
        app = _run(self.handler.app, scope, request, response)
        work, limit = await self._in_time(app, request)
        error = _failure(work, limit)
        if error is None and not response.complete:
            error = limit.exceeded or IncompleteResponse(
                "the app returned before its response was complete"
            )
        await self._settle(stream, response, error)

    async def _settle(
        self, stream: Stream, response: StreamedResponse, error: BaseException | None
    ) -> None:
        if error is not None and not response.begun:
            await self._report(_kind(error), error)
            return
        if error is not None:
            when = "had ended" if response.complete else "began"
            logs.failed(f"the app failed after its response {when}", error, in_full=self.in_full)
            stream.end(wire.trailers(_kind(error), error, _message(error)))
        await self._deliver(stream.answer())

    async def _in_time(
        self, work: Coroutine[Any, Any, T], request: Request
    ) -> tuple[asyncio.Task[T], Limit]:
        """Run the app to its limit."""
        limit = Limit(request, self.context.get_remaining_time_in_millis() / 1000)
        self.limits.add(limit)
        try:
            return await limit.run(work), limit
        finally:
            self.limits.remove(limit)

    async def _report(self, kind: str, error: BaseException) -> None:
        logs.failed("the invocation failed", error, in_full=self.in_full)
        body = wire.error_body(kind, error, _message(error))
        headers = {**wire.error_headers(kind), **self._echo()}
        await self._deliver(self.connection.request("POST", self._path("error"), headers, body))

    async def _deliver(self, exchange: Coroutine[Any, Any, Response]) -> None:
        try:
            status = (await exchange).status
        except OSError:
            logs.logger.warning("the Runtime API went away before it took the response")
            self.connection.close()
            return
        if status == 403 or status >= 500:
            raise RuntimeApiError(f"the Runtime API answered {status}")
        if status >= 400:
            why = _REFUSALS.get(status, "refused")
            logs.logger.error("the Runtime API answered %d: %s", status, why)

    def _path(self, what: str) -> str:
        return f"{wire.VERSION}/runtime/invocation/{self.context.aws_request_id}/{what}"

    def _echo(self) -> dict[str, str]:
        found = self.context.invocation_id
        return {} if found is None else {"Lambda-Runtime-Invocation-Id": found}


_REFUSALS = {
    400: "not a response that it knows an invocation for",
    410: "the invocation has timed out",
    413: "the response is larger than Lambda allows",
}


async def _run(app: ASGIApp, scope: Scope, request: Request, response: StreamedResponse) -> None:
    # An app that went on sending where HTTP allows no body has answered in full.
    with suppress(ResponseOver):
        await app(scope, request.receive, response.send)


def _failure(work: asyncio.Task[Any], limit: Limit) -> BaseException | None:
    if not work.done() or work.cancelled():
        return limit.exceeded or DeadlineExceeded()
    error = work.exception()
    if isinstance(error, IncompleteResponse) and limit.exceeded is not None:
        return limit.exceeded
    return error


def _kind(error: BaseException) -> str:
    if isinstance(error, UnsupportedEvent):
        return "Runtime.UnsupportedEvent"
    if isinstance(error, EnvironmentStopped):
        return "Runtime.EnvironmentStopped"
    return f"Function.{type(error).__name__}"


def _message(error: BaseException) -> str:
    return str(error) if isinstance(error, _OURS) else ""
