"""The ASGI response of a stream.

FastAPI's and sse-starlette's event responses are unsuitable: their heartbeat comments end with a
blank line, which dispatches an empty event in some SDKs once an ``id`` is pending. This one also
ends a body cleanly only after the dialect's terminator or error.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from functools import partial

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..dialects.protocol import as_event
from ..errors import ProxyError
from ..gateway.context import RequestContext
from ..gateway.join import View
from ..gateway.memory import RequestMemory
from ..gateway.presence import LEASE_HEADER
from ..gateway.recording import RequestSummary
from ..hotpath import ON_DISCONNECT, WRITE, OnDisconnect
from ..streams.ending import CONNECTION_EXPIRED
from ..streams.hub import Hub
from ..streams.reader import Reader
from ..streams.sender import Sender
from ..streams.viewer import Delivery, Viewer
from .delivery import DeliveryOptions

_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}


class StreamResponse(Response):
    """Sends one stream to one client, from its cursor to the end.

    Args:
        hub: Where the stream is; watching through it applies the stream's policy.
        view: The client's view of the stream.
        options: How the response is delivered.
        context: The request's context.
        summary: What the request has done, for its log line.
    """

    def __init__(
        self,
        hub: Hub,
        view: View,
        options: DeliveryOptions,
        context: RequestContext,
        summary: RequestSummary,
    ) -> None:
        lease = {} if view.lease is None else {LEASE_HEADER: f"{view.lease:g}"}
        headers = {**_HEADERS, **view.dialect.headers, **lease}
        # Not by ``Response.__init__``: without a body there is no length.
        self.status_code, self.background = 200, None
        self.init_headers({**headers, "x-stream-id": view.stream.meta.id})
        self._hub = hub
        self._view = view
        self._stream = view.stream
        self._options = options
        self._context = context
        self._summary = summary
        self._delivery = Delivery()
        # What the client's dialect keeps of the stream's text is charged to the stream's owner.
        self._memory = RequestMemory(hub.account(view.stream.meta.owner))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream.

        If the client is gone or stops reading, returns without the final ``http.response.body``,
        so that the server aborts the connection.

        Raises:
            ClientError: The first record is no longer held (410), or is ahead of the log (400).
                Raised before the response starts.
            TokenwireError: The log that was to be read has failed, and holds nothing; likewise.
        """
        counts = self._view.lease is None
        watching = self._hub.watch(self._stream, self._view.first, counts_connection=counts)
        with watching as reader:
            unwatch = self._watch_client(scope, reader)
            deadline = self._stop_at_deadline(reader)
            try:
                failure = await self._failure(reader)
                if failure is not None:
                    await failure(scope, receive, send)
                elif not reader.stopped or reader.interruption:
                    await self._serve(scope, send, reader)
            finally:
                unwatch()
                if deadline is not None:
                    deadline.cancel()
                self._memory.release()
                has_left = reader.stopped and not reader.interruption
                self._summary.stream_left(self._stream, self._delivery, disconnected=has_left)
        if self._context.freezes:
            # After the response nothing runs: the store must have the end by then.
            await self._hub.settled(self._stream)

    def _watch_client(self, scope: Scope, reader: Reader) -> Callable[[], object]:
        """Stop the reader when its client disconnects, until the returned function is called.

        The request body has been read.
        """
        on_disconnect: OnDisconnect | None = scope.get("extensions", {}).get(ON_DISCONNECT)
        if on_disconnect is None:
            return asyncio.create_task(self._stop_at_disconnect(reader)).cancel
        on_disconnect(reader.stop)
        # The connection outlives the response, and would hold the stream that was read.
        return partial(on_disconnect, None)

    async def _stop_at_disconnect(self, reader: Reader) -> None:
        await self._context.disconnected()
        reader.stop()

    def _stop_at_deadline(self, reader: Reader) -> asyncio.TimerHandle | None:
        """At the invocation's deadline, end this response with ``connection_expired``.

        Only if the stream runs in another process. A stream of this process is bounded by the
        same deadline when it starts.
        """
        left = math.inf if self._stream.is_ours else self._context.seconds_left
        if left == math.inf:
            return None
        return asyncio.get_running_loop().call_later(left, reader.stop, CONNECTION_EXPIRED)

    async def _failure(self, reader: Reader) -> Response | None:
        """Return a response if the stream fails before its first block, within one heartbeat."""
        if self._options.error_response is None:
            return None
        await reader.wait(self._options.heartbeat)
        tail = self._stream.tail
        error = tail.broken if tail.end is None else tail.end.error
        if tail.next > 1 or error is None or reader.stopped:
            return None
        return self._options.error_response(error)

    async def _serve(self, scope: Scope, send: Send, reader: Reader) -> None:
        attempts = self._stream.facts.attempts
        if attempts and attempts[-1].error is None:
            self.raw_headers.append((b"x-model", _in_a_header(attempts[-1].model)))
        await send(
            {"type": "http.response.start", "status": 200, "headers": list(self.raw_headers)}
        )
        self.raw_headers.clear()  # They are sent, and a stream may be open for long.
        try:
            await self._send_all(scope, send, reader)
        except (TimeoutError, OSError):
            # Leave the body unfinished, so that the client sees an aborted transfer and not a
            # complete answer.
            reader.stop()

    async def _send_all(self, scope: Scope, send: Send, reader: Reader) -> None:
        options, rendering = self._options, self._view.rendering
        prefix = b"" if options.retry is None else b"retry: %d\n" % options.retry
        opening = rendering.open(self._stream.meta)
        viewer = Viewer(
            reader,
            rendering,
            self._delivery,
            b"" if opening else prefix,
            partial(self._charge, reader),
        )
        sender = Sender(
            reader,
            viewer,
            partial(_send_body, send),
            self._delivery,
            heartbeat=options.heartbeat,
            timeout=options.send_timeout,
            write=scope.get("extensions", {}).get(WRITE),
        )
        await sender.run(opening and prefix + opening)

    def _charge(self, reader: Reader, held: int) -> None:
        """Charge the text that the client's dialect keeps. If it does not fit, stop reading."""
        try:
            self._memory.grow(held - self._memory.size)
        except ProxyError as error:
            reader.stop(as_event(error))


async def _send_body(send: Send, data: bytes, more: bool) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})


def _in_a_header(name: str) -> bytes:
    """Return a name as a header value: printable ASCII; every other character becomes ``?``."""
    if not (name.isascii() and name.isprintable()):
        name = "".join(c if " " <= c <= "~" else "?" for c in name)
    return name.encode()
