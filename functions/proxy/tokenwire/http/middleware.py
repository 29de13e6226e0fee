"""The outermost layer: a request id, one log line per request, and an answer to every failure."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..dialects import Dialect
from ..gateway.memory import RequestMemory
from ..gateway.recording import RequestSummary
from ..telemetry import Recorder, RequestLog, function_of
from .errors import on_error

_REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")


class Logged:
    """Pure ASGI middleware.

    Args:
        app: The app inside it.
        recorder: Writes the record of each request.
        dialects: The app's dialects: errors are answered in them.
    """

    def __init__(self, app: ASGIApp, recorder: Recorder, dialects: Mapping[str, Dialect]) -> None:
        self._app = app
        self._recorder = recorder
        self._dialects = dialects

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and write its log line whatever happens."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request_id = _request_id(scope)
        trace = self._recorder.begin(scope["method"], scope["headers"])
        log = RequestLog(request_id, scope["method"], trace=trace)
        summary = RequestSummary(log)
        state = scope.setdefault("state", {})
        state |= {"summary": summary, "dialects": self._dialects, "trace": trace}
        response = _Response(scope, send, request_id, summary)
        try:
            await self._guarded(scope, receive, response)
        finally:
            response.release_memory()
            log.route = getattr(scope.get("route"), "path", None)
            log.instants.end = summary.elapsed()
            log.function = function = function_of(scope)
            self._recorder.record(log)
            if function is not None:  # Lambda may freeze the process now
                await self._recorder.flush()

    async def _guarded(self, scope: Scope, receive: Receive, response: _Response) -> None:
        try:
            await self._app(scope, receive, response.send)
        except Exception as error:
            # The text of an unexpected error may quote a prompt or a key. It is neither logged nor
            # raised to a server that would log it. The place is enough to find the error.
            self._recorder.logger.error(
                "unexpected", extra={"kind": type(error).__name__, "at": _place(error)}
            )
            if not response.has_begun:
                failure = await on_error(Request(scope), error)
                await failure(scope, receive, response.send)


class _Response:
    """The response of one request, on its way to the server."""

    def __init__(self, scope: Scope, send: Send, request_id: str, summary: RequestSummary) -> None:
        self._scope = scope
        self._send = send
        self._request_id = request_id.encode()
        self._summary = summary
        self.has_begun = False

    async def send(self, message: Message) -> None:
        """Send a message of the app; the first one gets the request's id."""
        if message["type"] == "http.response.start":
            self.has_begun = True
            self._summary.log.status = message["status"]
            self.release_memory()
            message["headers"] = [*message["headers"], (b"x-request-id", self._request_id)]
        await self._send(message)

    def release_memory(self) -> None:
        """Release the request's memory, once. A stream that it started may keep using it."""
        memory: RequestMemory | None = self._scope["state"].pop("memory", None)
        if memory is not None:
            memory.release()


def _request_id(scope: Scope) -> str:
    given = next((v for k, v in scope["headers"] if k == b"x-request-id"), b"")
    return given.decode() if _REQUEST_ID.fullmatch(given) else f"req_{secrets.token_hex(12)}"


def _place(error: BaseException) -> str:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return f"{at.tb_frame.f_code.co_filename}:{at.tb_lineno}" if at else "?"
