"""uvicorn's HTTP protocol on httptools, bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

import uvicorn
from uvicorn._types import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from ..hotpath import ON_DISCONNECT, WRITE, OnDisconnect, Write
from .head_buffer import HeadBuffer
from .lazy import LazyEvent, Pipeline
from .limits import Limits, Waiting
from .starts import StartLimiter

MAX_FIELDS = 128
"""Header fields of one request, trailers included."""

MAX_PIPELINED = 4
"""Requests that may wait behind the one that is being answered."""


class BoundedConfig(uvicorn.Config):
    """uvicorn's configuration, with what its connections share."""

    limits: Limits
    waiting: Waiting
    starts: StartLimiter


class BoundedProtocol(HttpToolsProtocol):
    """One connection. Bounds what is buffered, counted and waited for; closes it beyond."""

    # With more than 30 attributes, those of uvicorn included, an object has a dictionary of its
    # own, of 1.5 KiB.
    __slots__ = (
        "_abort",
        "_deadline",
        "_has_cycle",
        "_in_head",
        "_is_lost",
        "_limits",
        "_pending",
        "_starts",
        "_status",
        "_waiting",
    )

    def __init__(
        self,
        config: BoundedConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.pipeline = cast("Any", Pipeline())
        self._limits = config.limits
        self._starts = config.starts
        self._waiting = config.waiting
        # Bytes given to the parser since it last passed anything on.
        self._pending = 0
        self._in_head = True
        self._has_cycle = False
        self._is_lost = False
        self._status = HTTPStatus.BAD_REQUEST
        self._deadline: asyncio.TimerHandle | None = None
        self._abort: asyncio.TimerHandle | None = None

    @property
    def is_answering(self) -> bool:
        """Whether a request has arrived completely and its response has not been sent."""
        if self.pipeline or not self._has_cycle:
            return bool(self.pipeline)
        return not self.cycle.response_complete and not self.cycle.more_body

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: a client that sends nothing is closed too."""
        super().connection_made(transport)
        self.flow._is_writable_event = cast("Any", LazyEvent(is_set=True))
        self._expect(self._limits.head_seconds)
        self._waiting.make_room(len(self.connections))

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop every clock."""
        self._is_lost = True
        self._expected()
        self._stay()
        super().connection_lost(exc)

    def eof_received(self) -> None:
        """The transport closes now, but not before it has sent what is written."""
        self._abort_in(self._limits.stuck_seconds)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, with at most what it may buffer."""
        if self._deadline is None:
            self._expect(self._limits.head_seconds)
        rest = memoryview(data)
        while rest and not self.transport.is_closing():
            room = self._limits.head - self._pending
            if room <= 0:
                self._status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
                self._refuse()
                return
            part, rest = rest[:room], rest[room:]
            self._pending += len(part)
            super().data_received(part)  # type: ignore[arg-type]

    def on_message_begin(self) -> None:
        """A request begins."""
        if len(self.pipeline) >= MAX_PIPELINED:
            raise ValueError("too many requests at once")  # to the parser; closes the connection
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head, or of the trailer."""
        if len(self.headers) >= MAX_FIELDS:
            self._status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise ValueError("too many fields")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._pending = 0
        self._in_head = False
        self._expect(self._limits.body_seconds)
        super().on_headers_complete()
        self._has_cycle = True

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        self._pending = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete."""
        self._pending = 0
        self._in_head = True
        self._expected()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Note that the response has been written, though perhaps not yet sent."""
        super().on_response_complete()
        self._abort_if_closing()

    def timeout_keep_alive_handler(self) -> None:
        """No further request came."""
        super().timeout_keep_alive_handler()
        self._abort_if_closing()

    def pause_writing(self) -> None:
        """The client accepts less than is sent."""
        super().pause_writing()
        self._abort_in(self._limits.stuck_seconds)

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._stay()
        super().resume_writing()
        self._abort_if_closing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser cannot parse. ``msg`` is uvicorn's, and not sent."""
        self._refuse()

    def _unsupported_upgrade_warning(self) -> None:
        """Do not log requests for an upgrade: any client can send them."""

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        on_disconnect = _Signal.of(cycle)
        buffer = HeadBuffer(self.transport, self.loop)
        cycle.transport = cast("Any", buffer)

        async def run(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
            extensions = cast("dict[str, Any]", scope).setdefault("extensions", {})
            extensions[WRITE] = _writer(cycle, buffer, self.transport)
            extensions[ON_DISCONNECT] = on_disconnect
            try:
                await self._starts.wait_for_turn()
                await app(scope, receive, send)
            finally:
                buffer.flush()
                # By then uvicorn has closed the connection if the response is incomplete.
                self.loop.call_soon(self._abort_if_closing)

        super()._start_asgi_task(cycle, run)

    def _expect(self, seconds: float) -> None:
        """Close the connection unless the rest of the head or body arrives in time."""
        if self._deadline is None:
            self._waiting.enter(self)
        else:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(seconds, self._is_late)

    def _expected(self) -> None:
        self._waiting.leave(self)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _is_late(self) -> None:
        self._deadline = None
        if self.is_answering:
            return  # a stray line after a request must not end the response
        self._status = HTTPStatus.REQUEST_TIMEOUT
        self._refuse()

    def _refuse(self) -> None:
        """Close the connection; with a status, if one can be sent."""
        self._expected()
        if self._may_write:
            body = self._status.phrase.encode()
            self.transport.write(
                b"HTTP/1.1 %d %b\r\ncontent-type: text/plain; charset=utf-8\r\n"
                b"content-length: %d\r\nconnection: close\r\n\r\n%b"
                % (self._status, body, len(body), body)
            )
        if self._has_cycle:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()
        self._abort_in(self._limits.stuck_seconds)

    @property
    def _may_write(self) -> bool:
        """Return whether a response to the current request would be sent next."""
        if self.pipeline:
            return False
        if not self._has_cycle:
            return self._pending > 0
        cycle = self.cycle
        return cycle.response_complete if self._in_head else not cycle.response_started

    def _abort_if_closing(self) -> None:
        if self.transport.is_closing() and not self._is_lost:
            self._abort_in(self._limits.stuck_seconds)

    def _abort_in(self, seconds: float) -> None:
        self._stay()
        self._abort = self.loop.call_later(seconds, self.transport.abort)

    def _stay(self) -> None:
        if self._abort is not None:
            self._abort.cancel()
            self._abort = None


class _Signal(LazyEvent):
    """Wakes who waits in ``receive``, as uvicorn's event, and calls back at a disconnect."""

    __slots__ = ("_callback", "_cycle")

    def __init__(self, cycle: RequestResponseCycle) -> None:
        super().__init__()
        self._cycle = cycle
        self._callback: Callable[[], object] | None = None

    @classmethod
    def of(cls, cycle: RequestResponseCycle) -> OnDisconnect:
        """Replace the event of a request that begins now."""
        signal = cls(cycle)
        if cycle.message_event.is_set():
            signal.set()  # the request was pipelined: its body is there
        cycle.message_event = cast("Any", signal)
        return signal.call

    def set(self) -> None:
        """As ``asyncio.Event``."""
        super().set()
        if self._callback is not None and self._cycle.disconnected:
            self._callback()

    def call(self, callback: Callable[[], object] | None) -> None:
        """As ``hotpath.OnDisconnect``."""
        self._callback = callback
        if callback is not None:
            # As ``receive``: the end of a connection that is not read is not noticed.
            self._cycle.flow.resume_reading()
            if self._cycle.disconnected:
                callback()


def _writer(cycle: RequestResponseCycle, buffer: HeadBuffer, transport: asyncio.Transport) -> Write:
    """Return a ``Write``: what uvicorn's ``send`` does if it does not have to wait.

    The transport's buffer has the same limit as for ``send``; above it ``write_paused`` is set.
    """
    flow, send = cycle.flow, transport.write

    def write(data: bytes) -> bool:
        if flow.write_paused or cycle.disconnected or not cycle.chunked_encoding:
            return False
        (buffer.write if buffer.held else send)(b"%x\r\n%b\r\n" % (len(data), data))
        return True

    return write
