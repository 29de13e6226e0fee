"""The Invoke API: synchronous, asynchronous, dry and streaming invocations, as boto3 makes them.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
https://docs.aws.amazon.com/lambda/latest/api/API_InvokeWithResponseStream.html
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
from collections.abc import Callable
from contextlib import suppress

from . import event_stream
from .http import Incoming, Outgoing
from .invocation import End, Failed, Invocation, Start, Throttled, new_id
from .report import notice

_BUFFERED = re.compile(r"/2015-03-31/functions/[^/?]{1,512}/invocations(\?.*)?")
_STREAMED = re.compile(r"/2021-11-15/functions/[^/?]{1,512}/response-streaming-invocations(\?.*)?")

MAX_EVENT = 6 * 1024 * 1024
"""Bytes of a synchronous invocation's event."""
MAX_ASYNC_EVENT = 1024 * 1024
"""Bytes of an asynchronous invocation's event."""
RETRY = 0.5
"""Seconds until an event that was throttled is tried again. Lambda waits longer between tries."""

_JSON = ("content-type", "application/json")
_VERSION = ("x-amz-executed-version", "$LATEST")
_TYPES = ("RequestResponse", "Event", "DryRun")


class _Refused(Exception):
    """The request is not a valid one."""

    def __init__(self, status: int, kind: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind


class InvokeApi:
    """Serves the two actions for one function, whatever name or ARN the caller uses for it.

    Args:
        invoke: Runs an invocation, or raises ``Throttled``.
    """

    def __init__(self, invoke: Callable[[Invocation], None]) -> None:
        self._invoke = invoke
        self._running: set[asyncio.Task[None]] = set()

    def takes(self, incoming: Incoming) -> bool:
        """Whether a request is for this API."""
        target = incoming.target
        return incoming.method == "POST" and bool(
            _BUFFERED.fullmatch(target) or _STREAMED.fullmatch(target)
        )

    async def serve(self, incoming: Incoming, outgoing: Outgoing) -> None:
        """Serve one request."""
        invocation = Invocation(new_id(), b"", "Root=1-0-0;Sampled=0")
        try:
            kind = await _read(incoming, invocation)
            await self._serve(kind, incoming, invocation, outgoing)
        except _Refused as error:
            _refuse(error, invocation, outgoing)
        except Throttled:
            throttled = _Refused(429, "TooManyRequestsException", "Rate Exceeded.")
            _refuse(throttled, invocation, outgoing, Reason="ConcurrentInvocationLimitExceeded")

    async def close(self) -> None:
        """Stop running asynchronous events."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _serve(
        self, kind: str, incoming: Incoming, invocation: Invocation, outgoing: Outgoing
    ) -> None:
        with_log = incoming.get("x-amz-log-type") == "Tail"
        if kind == "DryRun":
            outgoing.respond(204, [_id(invocation)])
        elif kind == "Event":
            self._later(invocation)
            outgoing.respond(202, [_JSON, _id(invocation)])
        elif _STREAMED.fullmatch(incoming.target):
            self._invoke(invocation)
            await _stream(invocation, outgoing, with_log=with_log)
        else:
            self._invoke(invocation)
            await _buffer(invocation, outgoing, with_log=with_log)

    def _later(self, invocation: Invocation) -> None:
        task = asyncio.create_task(self._run(invocation))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, invocation: Invocation) -> None:
        while True:
            try:
                self._invoke(invocation)
                break
            except Throttled:
                await asyncio.sleep(RETRY)
        last = await invocation.drain()
        if isinstance(last, Failed):
            notice(f"RequestId: {invocation.request_id} an asynchronous event failed: {last.kind}")


async def _read(incoming: Incoming, invocation: Invocation) -> str:
    """Fill an invocation from a request; returns the invocation type.

    Raises:
        _Refused: It is not a valid request.
    """
    kind = incoming.get("x-amz-invocation-type", "RequestResponse")
    limit = MAX_ASYNC_EVENT if kind == "Event" else MAX_EVENT
    event = await incoming.read(limit)
    if kind not in _TYPES or (kind == "Event" and _STREAMED.fullmatch(incoming.target)):
        raise _Refused(400, "InvalidParameterValueException", f"no such invocation type: {kind}")
    if event is None:
        message = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
        raise _Refused(413, "RequestTooLargeException", message)
    invocation.event = event or b"{}"
    try:
        json.loads(invocation.event)
    except (ValueError, RecursionError):
        message = "Could not parse request body into json"
        raise _Refused(400, "InvalidRequestContentException", message) from None
    invocation.client_context = _client_context(incoming.get("x-amz-client-context"))
    invocation.tenant_id = incoming.get("x-amz-tenant-id")
    invocation.trace_id = incoming.get("x-amzn-trace-id") or invocation.trace_id
    return kind


def _client_context(text: str) -> str:
    """The JSON of a client context, which comes in base64.

    Raises:
        _Refused: It is not base64, or not UTF-8.
    """
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeError, ValueError):
        message = "Client context must be a valid Base64-encoded JSON object."
        raise _Refused(400, "InvalidRequestContentException", message) from None


async def _buffer(invocation: Invocation, outgoing: Outgoing, *, with_log: bool) -> None:
    """Respond once the function has: its payload, or its error."""
    body = bytearray()
    while not isinstance(part := await invocation.get(), End | Failed):
        if isinstance(part, bytes) and len(body) <= MAX_EVENT:
            body += part
    headers = [_JSON, _VERSION, _id(invocation)]
    if len(body) > MAX_EVENT:
        part = Failed("Function.ResponseSizeTooLarge", "the response is larger than 6 MB")
    if isinstance(part, Failed):
        headers.append(("x-amz-function-error", "Unhandled"))
        body = bytearray(part.details)
    if with_log:
        headers.append(("x-amz-log-result", await _log(invocation)))
    outgoing.respond(200, headers, bytes(body))


async def _stream(invocation: Invocation, outgoing: Outgoing, *, with_log: bool) -> None:
    """Respond as the function does, in event-stream frames."""
    content_type = ("content-type", event_stream.CONTENT_TYPE)
    outgoing.start(200, [content_type, _VERSION, _id(invocation)])
    while not isinstance(part := await invocation.get(), End | Failed):
        if not isinstance(part, Start) and part:
            frame = event_stream.event("PayloadChunk", part, "application/octet-stream")
            await _write(frame, outgoing)
    last: dict[str, str] = {}
    if isinstance(part, Failed):
        last = {"ErrorCode": part.kind, "ErrorDetails": part.details.decode("utf-8", "replace")}
    if with_log:
        last["LogResult"] = await _log(invocation)
    frame = event_stream.event("InvokeComplete", json.dumps(last).encode(), "application/json")
    await _write(frame, outgoing)
    outgoing.end()


async def _write(data: bytes, outgoing: Outgoing) -> None:
    # The function runs on when its caller has left: what it still sends is dropped.
    if not outgoing.is_closed:
        with suppress(OSError):
            await outgoing.write(data)


async def _log(invocation: Invocation) -> str:
    await invocation.reported.wait()
    return base64.b64encode(invocation.log).decode()


def _id(invocation: Invocation) -> tuple[str, str]:
    return ("x-amzn-requestid", invocation.request_id)


def _refuse(error: _Refused, invocation: Invocation, outgoing: Outgoing, **more: str) -> None:
    headers = [_JSON, ("x-amzn-errortype", error.kind), _id(invocation)]
    body = {"Type": "User", "message": str(error), **more}
    outgoing.respond(error.status, headers, json.dumps(body).encode())
