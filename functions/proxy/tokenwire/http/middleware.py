"""The outermost layer: a request id, one log line per request, and no failure unanswered."""

from __future__ import annotations

import re
import secrets

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..gateway.observation import Observation
from ..telemetry import Recorder, RequestLog, arn_of, freezes, function_of, seconds_left
from .errors import on_error

_REQUEST_ID = re.compile(rb"[A-Za-z0-9_-]{8,64}")


class Logged:
    """Pure ASGI middleware.

    Args:
        app: What it wraps.
        recorder: Takes down each request.
    """

    def __init__(self, app: ASGIApp, recorder: Recorder) -> None:
        self._app = app
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and write its line whatever becomes of it."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        request_id = _request_id(scope)
        log = RequestLog(request_id, scope["method"])
        seen = Observation(
            log, seconds_left(scope), freezes=freezes(scope), function_arn=arn_of(scope)
        )
        scope.setdefault("state", {})["observation"] = seen
        try:
            await self._guarded(scope, receive, _tagged(send, request_id, seen), log)
        finally:
            seen.release()
            log.route = getattr(scope.get("route"), "path", None)
            log.instants.end = seen.elapsed()
            log.function = function_of(scope)
            self._recorder.record(log)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send, log: RequestLog) -> None:
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            # The text of a surprise may quote a prompt or a key, so it is not logged, and not
            # raised to a server that would log it. Where it happened is enough to find it.
            where = _where(error)
            self._recorder.logger.error(
                "unexpected", extra={"kind": type(error).__name__, "at": where}
            )
            if log.status is None:
                response = await on_error(Request(scope), error)
                await response(scope, receive, send)


def _tagged(send: Send, request_id: str, seen: Observation) -> Send:
    async def tagged(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.log.status = message["status"]
            seen.release()
            message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
        await send(message)

    return tagged


def _request_id(scope: Scope) -> str:
    given = next((v for k, v in scope["headers"] if k == b"x-request-id"), b"")
    return given.decode() if _REQUEST_ID.fullmatch(given) else f"req_{secrets.token_hex(12)}"


def _where(error: BaseException) -> str:
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return f"{at.tb_frame.f_code.co_filename}:{at.tb_lineno}" if at else "?"
