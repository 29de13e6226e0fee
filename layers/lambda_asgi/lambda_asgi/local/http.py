"""The local HTTP/1.1 server: request bodies as they arrive, streamed responses, trailers, abort.

h11 reads and writes the protocol; this module holds the limits and the order of things.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from http import HTTPStatus

import h11

from .. import wire
from .connection import Connection, Limits

__all__ = ["PUBLIC", "Incoming", "Limits", "Outgoing", "Serve", "Server"]

MAX_TRAILERS = 128
"""Fields of a trailer section."""

PUBLIC = Limits(head=64 * 1024, head_seconds=10.0, body_seconds=60.0)
"""For the function URL; an environment's own requests wait for events and last for minutes."""

# White space that h11 refuses in a value, and that a header has no use for.
_BLANKS = str.maketrans("\v\f", "  ")


class Incoming:
    """A request. Its body can be read once, in order.

    Args:
        request: Its head.
        connection: Where the body comes from.
        seconds: Limit for reading the body with ``read``; None: no limit.
    """

    def __init__(
        self, request: h11.Request, connection: Connection, seconds: float | None = None
    ) -> None:
        self._connection = connection
        self._seconds = seconds
        self.method = request.method.decode("ascii")
        self.target = request.target.decode("ascii")
        self.protocol = f"HTTP/{request.http_version.decode('ascii')}"
        self.headers = _decoded(request.headers)
        self.trailers: dict[str, str] = {}

    def get(self, name: str, default: str = "") -> str:
        """The values of a header, joined with commas (RFC 9110 §5.3)."""
        values = [value for found, value in self.headers if found == name]
        return ", ".join(values) if values else default

    async def read(self, limit: int) -> bytes | None:
        """The complete body; None if it is larger than ``limit`` bytes (it is read all the same).

        Raises:
            TimeoutError: It did not arrive in time.
            h11.RemoteProtocolError: It is not framed as HTTP/1.1 requires.
            asyncio.IncompleteReadError: The client left before its end.
        """
        body, size = bytearray(), 0
        async with asyncio.timeout(self._seconds):
            async for data in self.body():
                size += len(data)
                if size <= limit:
                    body += data
        return bytes(body) if size <= limit else None

    async def body(self) -> AsyncIterator[bytes]:
        """The body's bytes, as they arrive; then ``trailers`` is filled.

        Raises:
            h11.RemoteProtocolError: It is not framed as HTTP/1.1 requires.
            asyncio.IncompleteReadError: The client left before its end.
        """
        while isinstance(event := await self._connection.event(), h11.Data):
            yield bytes(event.data)
        if isinstance(event, h11.EndOfMessage):
            if len(event.headers) > MAX_TRAILERS:
                raise h11.RemoteProtocolError("too many trailers")
            self.trailers = dict(_decoded(event.headers))


class Outgoing:
    """A response.

    Args:
        connection: Where it goes.
        method: The request's; HEAD gets no body.
    """

    def __init__(self, connection: Connection, method: str = "GET") -> None:
        self._connection = connection
        self._method = method
        self._has_body = True
        self.begun = False
        self.peer = connection.peer
        self.port = connection.port

    @property
    def is_closed(self) -> bool:
        """Whether the client has closed its connection."""
        return self._connection.is_closed

    def start(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Send the head of a streamed response."""
        self.begun = True
        self._has_body = not wire.forbids_body(status, self._method)
        fields = [
            (name.encode("ascii"), _encoded(value)) for name, value in wire.safe_fields(headers)
        ]
        self._connection.send(
            h11.Response(status_code=status, headers=fields, reason=_phrase(status))
        )

    async def write(self, data: bytes) -> None:
        """Send bytes of the body; waits until the socket's buffer has room."""
        if data and self._has_body:
            self._connection.send(h11.Data(data=data))
        await self._connection.drain()

    def end(self) -> None:
        """Send the body's end."""
        self._connection.send(h11.EndOfMessage())

    def respond(
        self, status: int, headers: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> None:
        """Send a complete response."""
        self.start(status, [*headers, ("content-length", str(len(body)))])
        if body and self._has_body:
            self._connection.send(h11.Data(data=body))
        self.end()

    def abort(self) -> None:
        """Close the connection at once: HTTP/1.1's sign of an incomplete response."""
        self._connection.abort()


Serve = Callable[[Incoming, Outgoing], Awaitable[None]]


class Server:
    """Listens, and serves each connection's requests one after the other.

    Args:
        serve: Answers one request.
        limits: What one client may use.
    """

    def __init__(self, serve: Serve, limits: Limits = PUBLIC) -> None:
        self._serve = serve
        self._limits = limits
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, host: str, port: int) -> int:
        """Listen; returns the port, a free one for 0.

        Raises:
            OSError: The address is in use, or not of this machine.
        """
        self._server = await asyncio.start_server(self._connected, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Stop listening and close every connection."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= self._limits.connections:
            writer.transport.abort()
            return
        task = asyncio.create_task(self.serve_connection(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def serve_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve one connection until it is closed."""
        connection = Connection(reader, writer, self._limits)
        try:
            while await self._exchange(connection):
                pass
        except TimeoutError:
            _refuse(connection, 408)
        except h11.RemoteProtocolError as error:
            _refuse(connection, error.error_status_hint)
        except (OSError, asyncio.IncompleteReadError):
            pass  # The client left.
        finally:
            connection.close()

    async def _exchange(self, connection: Connection) -> bool:
        """Serve one request; whether another may follow on the connection."""
        request = await connection.request()
        if request is None:
            return False
        incoming = Incoming(request, connection, self._limits.body_seconds)
        await self._serve(incoming, Outgoing(connection, incoming.method))
        return connection.next_cycle()


def _refuse(connection: Connection, status: int) -> None:
    if connection.can_respond():
        Outgoing(connection).respond(status, [("connection", "close")])
    else:
        connection.abort()


def _decoded(fields: Iterable[tuple[bytes, bytes]]) -> tuple[tuple[str, str], ...]:
    """Header fields as text: UTF-8 where they are, else latin-1, which every byte is."""
    found = []
    for name, value in fields:
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = value.decode("latin-1")
        found.append((name.decode("ascii").lower(), text))
    return tuple(found)


def _encoded(value: str) -> bytes:
    """A header's value in bytes: latin-1, as runtimes pass bytes through JSON, else UTF-8."""
    value = value.translate(_BLANKS).strip(" \t")
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
