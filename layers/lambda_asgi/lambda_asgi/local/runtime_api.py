"""The Runtime API's serving side, for one environment: hands out events, takes responses.

At the same address the environment finds the Extensions API and the Invoke API.
"""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TypeAlias

import h11

from .. import wire
from .bandwidth import Throttle
from .extensions import PREFIX, Extensions
from .function import MAX_STREAMED
from .http import Incoming, Limits, Outgoing, Server
from .invocation import Invocation, Start
from .invoke import InvokeApi

MAX_EVENT = 6 * 1024 * 1024
"""Bytes of an event."""
MAX_BUFFERED = MAX_EVENT + 100
"""Bytes of a buffered response; AWS's emulator has the same 100 more."""
MAX_ERROR = 256 * 1024

Slot: TypeAlias = asyncio.Future[Invocation]
"""A ``/next`` request that waits for an invocation."""

_ACCEPTED = (202, [("content-type", "application/json")], b'{"status":"OK"}\n')
_TOO_LARGE = "Function.ResponseSizeTooLarge"


class RuntimeApi:
    """Serves one environment's processes.

    Args:
        arn: The function's.
        invoke_api: Takes the events that the function sends to itself.
        extensions: Serves the environment's extensions.
        max_streamed: Bytes of a streamed response.
        limits_bandwidth: Whether a streamed response passes no faster than on Lambda.
    """

    def __init__(
        self,
        arn: str,
        invoke_api: InvokeApi,
        extensions: Extensions,
        *,
        max_streamed: int = MAX_STREAMED,
        limits_bandwidth: bool = False,
    ) -> None:
        self._arn = arn
        self._invoke_api = invoke_api
        self._extensions = extensions
        self._max_streamed = max_streamed
        self._limits_bandwidth = limits_bandwidth
        # An environment may wait long for an event, and take minutes for a response.
        self._server = Server(self._serve, Limits())
        self._waiting: asyncio.Queue[Slot] = asyncio.Queue()
        self._running: dict[str, Invocation] = {}
        self._requested = asyncio.Event()
        self.init_error: bytes | None = None

    async def listen(self) -> str:
        """Listen on a free port; returns the address for ``AWS_LAMBDA_RUNTIME_API``."""
        return f"127.0.0.1:{await self._server.listen('127.0.0.1', 0)}"

    def close(self) -> None:
        """Stop listening and close every connection."""
        self._server.close()

    async def ready(self) -> None:
        """Wait until the runtime and its extensions have requested their first events."""
        await self._requested.wait()
        await self._extensions.ready()

    async def slot(self) -> Slot:
        """Wait until the runtime requests an event."""
        return await self._waiting.get()

    def give(self, slot: Slot, invocation: Invocation) -> None:
        """Answer a waiting request with an invocation."""
        self._running[invocation.request_id] = invocation
        self._extensions.invoke(invocation)
        slot.set_result(invocation)

    async def _serve(self, incoming: Incoming, outgoing: Outgoing) -> None:
        if self._invoke_api.takes(incoming):
            await self._invoke_api.serve(incoming, outgoing)
        elif incoming.target.startswith(PREFIX):
            await self._extensions.serve(incoming, outgoing)
        else:
            await self._serve_runtime(incoming, outgoing)

    async def _serve_runtime(self, incoming: Incoming, outgoing: Outgoing) -> None:
        path = incoming.target.removeprefix(f"{wire.VERSION}/runtime/")
        area, _, what = path.rpartition("/")
        invocation = self._running.get(area.removeprefix("invocation/"))
        if path == "invocation/next":
            await self._next(outgoing)
        elif path == "init/error":
            self.init_error = await incoming.read(MAX_ERROR) or b"{}"
            outgoing.respond(*_ACCEPTED)
        elif invocation is None:
            await incoming.read(MAX_EVENT)
            outgoing.respond(400, [], b'{"errorType":"InvalidRequestID"}')
        elif what == "error":
            await self._error(invocation, incoming, outgoing)
        else:
            await self._response(invocation, incoming, outgoing)

    async def _next(self, outgoing: Outgoing) -> None:
        slot: Slot = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait(slot)
        self._requested.set()
        invocation = await slot
        outgoing.respond(200, self._event_headers(invocation), invocation.event)

    def _event_headers(self, invocation: Invocation) -> list[tuple[str, str]]:
        headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", invocation.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(invocation.deadline_ms)),
            ("Lambda-Runtime-Invoked-Function-Arn", self._arn),
            ("Lambda-Runtime-Trace-Id", invocation.trace_id),
        ]
        if invocation.client_context:
            headers.append(("Lambda-Runtime-Client-Context", invocation.client_context))
        if invocation.tenant_id:
            headers.append(("Lambda-Runtime-Aws-Tenant-Id", invocation.tenant_id))
        return headers

    async def _error(self, invocation: Invocation, incoming: Incoming, outgoing: Outgoing) -> None:
        kind = incoming.get(wire.ERROR_TYPE.lower(), "Runtime.Unknown")
        body = await incoming.read(MAX_ERROR) or b""
        invocation.fail(kind, error_text(body), body)
        self._finished(invocation, outgoing)

    async def _response(
        self, invocation: Invocation, incoming: Incoming, outgoing: Outgoing
    ) -> None:
        invocation.cut = outgoing.abort
        mode = incoming.get("lambda-runtime-function-response-mode")
        # AWS's Go runtime streams without the mode's header.
        if mode == "streaming" or (not mode and incoming.get("content-type") == wire.STREAM_TYPE):
            await self._streamed(invocation, incoming, outgoing)
        elif mode:
            await incoming.read(MAX_BUFFERED)
            invocation.fail("Runtime.InvalidResponseModeHeader", f"no such mode: {mode}")
            outgoing.respond(400, [], b'{"errorType":"InvalidResponseModeHeader"}')
        else:
            await self._buffered(invocation, incoming, outgoing)

    async def _buffered(
        self, invocation: Invocation, incoming: Incoming, outgoing: Outgoing
    ) -> None:
        body = await incoming.read(MAX_BUFFERED)
        if body is None:
            invocation.fail(_TOO_LARGE, f"the response is larger than {MAX_BUFFERED} bytes")
            self._running.pop(invocation.request_id, None)
            outgoing.respond(413, [], b'{"errorType":"RequestEntityTooLarge"}')
            return
        await invocation.put(Start(incoming.get("content-type"), streamed=False))
        await invocation.put(body)
        invocation.end()
        self._finished(invocation, outgoing)

    async def _streamed(
        self, invocation: Invocation, incoming: Incoming, outgoing: Outgoing
    ) -> None:
        await invocation.put(Start(incoming.get("content-type"), streamed=True))
        try:
            complete = await self._pass_on(invocation, incoming)
        except (OSError, h11.RemoteProtocolError, asyncio.IncompleteReadError):
            invocation.fail("Runtime.TruncatedResponse", "the response broke off")
            outgoing.abort()
            return
        if not complete:
            invocation.fail(_TOO_LARGE, f"the response is larger than {self._max_streamed} bytes")
            self._running.pop(invocation.request_id, None)
            closing = [("connection", "close")]
            outgoing.respond(413, closing, b'{"errorType":"RequestEntityTooLarge"}')
            return
        _end(invocation, incoming.trailers)
        self._finished(invocation, outgoing)

    async def _pass_on(self, invocation: Invocation, incoming: Incoming) -> bool:
        """Hand the body's bytes on; False once they are more than Lambda allows."""
        throttle = Throttle() if self._limits_bandwidth else None
        size = 0
        async for data in incoming.body():
            size += len(data)
            if size > self._max_streamed:
                return False
            if throttle is not None:
                await throttle.wait(len(data))
            await invocation.put(data)
        return True

    def _finished(self, invocation: Invocation, outgoing: Outgoing) -> None:
        self._running.pop(invocation.request_id, None)
        outgoing.respond(*_ACCEPTED)


def _end(invocation: Invocation, trailers: dict[str, str]) -> None:
    kind = trailers.get(wire.ERROR_TYPE.lower())
    if kind is None:
        invocation.end()
    else:
        body = _base64(trailers.get(wire.ERROR_BODY.lower(), ""))
        invocation.fail(kind, error_text(body), body)


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def error_text(body: bytes) -> str:
    """An error's type and message, from the JSON that runtimes send."""
    try:
        error = json.loads(body or b"{}")
        return f"{error['errorType']}: {error['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return "an error without a text"
