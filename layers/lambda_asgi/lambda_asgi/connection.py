"""One keep-alive connection to the Runtime API: the only place where the runtime does I/O."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from typing import cast

from . import http1
from .http1 import ProtocolError, Response, ResponseParser
from .version import VERSION

_AGENT = {"User-Agent": f"lambda-asgi/{VERSION} python/{sys.version.split()[0]}"}


class _Socket(asyncio.Protocol):
    """Bytes out, with the transport's backpressure; responses in."""

    def __init__(self) -> None:
        self._transport: asyncio.WriteTransport | None = None
        self._parser = ResponseParser()
        self._room = asyncio.Event()
        self._room.set()
        self.answer: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

    @property
    def is_open(self) -> bool:
        """Whether something can still be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def expect(self) -> None:
        """Get ready for the answer to the next request."""
        self._parser = ResponseParser()
        self.answer = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            response = self._parser.feed(data)
        except ProtocolError as error:
            self._fail(ConnectionError(str(error)))
            return
        if response is not None and not self.answer.done():
            self.answer.set_result(response)
            self._room.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(ConnectionResetError("the Runtime API closed the connection"))

    def pause_writing(self) -> None:
        if not self.answer.done():
            self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    async def write(self, data: bytes) -> None:
        """Send, and wait for room.

        Raises:
            ConnectionError: The socket is dead, or the answer came before the end: either
                way these bytes have no recipient.
        """
        if self._transport is None or self.answer.done():
            raise ConnectionResetError("the Runtime API takes no more")
        self._transport.write(data)
        await self._room.wait()

    def write_soon(self, data: bytes) -> None:
        """Send without waiting: the last bytes of a request."""
        if self._transport is not None and not self.answer.done():
            self._transport.write(data)

    def close(self) -> None:
        """Drop the connection, and what it has not sent."""
        if self._transport is not None:
            self._transport.abort()

    def _fail(self, error: ConnectionError) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        if not self.answer.done():
            self.answer.set_exception(error)
            self.answer.exception()  # retrieved, so that asyncio reports none that nothing awaits
        self._room.set()


class Connection:
    """Requests to the Runtime API, one after the other. Connects when it has to.

    Args:
        address: ``host:port``, as in ``AWS_LAMBDA_RUNTIME_API``.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._socket: _Socket | None = None

    async def request(
        self, method: str, target: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Send one request with a complete body.

        Raises:
            OSError: It could not be sent, or no complete response came.
        """
        socket = await self._ready()
        named = {**_AGENT, **(headers or {})}
        await socket.write(http1.request(method, target, self._address, named, body))
        response = await socket.answer
        if not response.keeps_alive:
            self.close()
        return response

    async def open_stream(self, target: str, headers: Mapping[str, str]) -> Stream:
        """Begin a POST whose body follows in chunks.

        Raises:
            OSError: The Runtime API cannot be reached.
        """
        socket = await self._ready()
        return Stream(socket, http1.streamed_head(target, self._address, {**_AGENT, **headers}))

    def close(self) -> None:
        """Drop the connection; the next request makes a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def _ready(self) -> _Socket:
        if self._socket is None or not self._socket.is_open:
            host, _, port = self._address.rpartition(":")
            loop = asyncio.get_running_loop()
            _, self._socket = await loop.create_connection(_Socket, host.strip("[]"), int(port))
        self._socket.expect()
        return self._socket


class Stream:
    """The body of a POST under way. Its head goes out with the first bytes."""

    def __init__(self, socket: _Socket, head: bytes) -> None:
        self._socket = socket
        self._head = head
        self._is_complete = False
        self.ended = False

    def when_answered(self, notify: Callable[[], None]) -> None:
        """Call this once the Runtime API has answered or gone, be it in mid-stream."""
        self._socket.answer.add_done_callback(lambda _: notify())

    async def write(self, data: bytes) -> None:
        """Send bytes of the body; waits for the socket to have room.

        Raises:
            OSError: The connection is broken.
        """
        head, self._head = self._head, b""
        await self._socket.write(head + http1.chunk(data))

    def end(self, trailers: Mapping[str, str] | None = None) -> None:
        """Send the end of the body, unless it has gone out."""
        if not self.ended:
            self.ended = True
            self._is_complete = not self._socket.answer.done()
            self._socket.write_soon(self._head + http1.last_chunk(trailers))

    async def answer(self) -> Response:
        """The Runtime API's response.

        Raises:
            OSError: There is none.
        """
        response = await self._socket.answer
        if not (self._is_complete and response.keeps_alive):
            # An answer to half a body leaves the socket out of step.
            self._socket.close()
        return response
