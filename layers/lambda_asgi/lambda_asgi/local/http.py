"""An HTTP/1.1 server on asyncio streams: bodies as they come, trailers, and the power to abort."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus

from .. import wire
from ..http1 import Head, ProtocolError, chunk, last_chunk, parse_chunk_size, parse_head

READ = 64 * 1024
MAX_TRAILERS = 128
"""Fields of a trailer section."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may take.

    Args:
        head: Bytes of a request's head, and of any line after it.
        head_seconds: To the end of the head; None: for as long as it takes.
        body_seconds: To the end of the body; None likewise.
        connections: Open at once; more are closed.
    """

    head: int = 256 * 1024
    head_seconds: float | None = None
    body_seconds: float | None = None
    connections: int = 4096


PUBLIC = Limits(head=64 * 1024, head_seconds=10.0, body_seconds=60.0)
"""For a front door; without these an environment's own requests are served, which wait and last."""


class TooLarge(ProtocolError):
    """The head of a request is larger than its limit."""


class Incoming:
    """A request. Its body is read once, in order.

    Args:
        head: Its head.
        reader: Where the body comes from.
        writer: The response.
        seconds: For the whole body; None: for as long as it takes.
    """

    def __init__(
        self,
        head: Head,
        reader: asyncio.StreamReader,
        writer: Outgoing,
        seconds: float | None = None,
    ) -> None:
        self._seconds = seconds
        self.head = head
        self.method, self.target, self.protocol = _request_line(head.start)
        self.trailers: dict[str, str] = {}
        self.is_read = not head.is_chunked and head.length == 0
        self._reader = reader
        self._writer = writer

    async def read(self, limit: int) -> bytes | None:
        """The whole body; None if it is larger than ``limit`` bytes (it is read all the same).

        Raises:
            TimeoutError: It does not come in time.
            ProtocolError: It is not framed as HTTP says.
            asyncio.IncompleteReadError: The sender left in mid-body.
        """
        body, size = bytearray(), 0
        async with asyncio.timeout(self._seconds):
            async for data in self.body():
                size += len(data)
                if size <= limit:
                    body += data
        return bytes(body) if size <= limit else None

    async def body(self) -> AsyncIterator[bytes]:
        """The body's bytes, as they come.

        Raises:
            ProtocolError: It is not framed as HTTP says.
            asyncio.IncompleteReadError: The sender left in mid-body.
        """
        if self.is_read:
            return
        if self.head.get("expect").lower() == "100-continue":
            self._writer.go_on()
        parts = self._chunked() if self.head.is_chunked else self._sized(self.head.length)
        async for part in parts:
            yield part
        self.is_read = True

    async def _sized(self, size: int) -> AsyncIterator[bytes]:
        while size:
            data = await self._reader.read(min(size, READ))
            if not data:
                raise asyncio.IncompleteReadError(b"", size)
            size -= len(data)
            yield data

    async def _chunked(self) -> AsyncIterator[bytes]:
        while size := parse_chunk_size(await self._line()):
            async for data in self._sized(size):
                yield data
            await self._line()
        while line := await self._line():
            if len(self.trailers) >= MAX_TRAILERS:
                raise ProtocolError("too many trailers")
            name, _, value = line.decode("latin-1").partition(":")
            self.trailers[name.strip().lower()] = value.strip()

    async def _line(self) -> bytes:
        return (await self._reader.readuntil(b"\r\n"))[:-2]


class Outgoing:
    """A response."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._is_http10 = False
        self._is_head = False
        self._frame: Callable[[bytes], bytes] = chunk
        self.begun = False

    @property
    def is_gone(self) -> bool:
        """Whether the client has closed its connection."""
        return self._reader.at_eof() or self._writer.transport.is_closing()

    @property
    def peer(self) -> str:
        """The client's address."""
        return str((self._writer.get_extra_info("peername") or ("127.0.0.1",))[0])

    @property
    def port(self) -> int:
        """The port that the client called."""
        return int((self._writer.get_extra_info("sockname") or ("", 0))[1])

    def suit(self, request: Incoming) -> None:
        """Answer as this request's method and protocol version demand."""
        self._is_head = request.method == "HEAD"
        self._is_http10 = request.protocol == "HTTP/1.0"

    def go_on(self) -> None:
        """``100 Continue``, to a client that waits for it before it sends a body."""
        self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def start(self, status: int, headers: Iterable[tuple[str, str]], *, body: bool = True) -> None:
        """Send the head; ``body`` says whether HTTP allows one to follow."""
        self._frame = _nothing
        if body and not self._is_head:
            self._frame = bytes if self._is_http10 else chunk
        framing = [("transfer-encoding", "chunked")] if self._frame is chunk else []
        self._head(status, [*headers, *framing])

    async def write(self, data: bytes) -> None:
        """Send bytes of the body; waits for the socket to have room."""
        self._writer.write(self._frame(data))
        await self._writer.drain()

    def end(self) -> None:
        """Send the body's end."""
        if self._frame is chunk:
            self._writer.write(last_chunk())

    def whole(self, status: int, headers: Iterable[tuple[str, str]], body: bytes = b"") -> None:
        """Send all of a response."""
        self._head(status, [*headers, ("content-length", str(len(body)))])
        if not self._is_head:
            self._writer.write(body)

    def abort(self) -> None:
        """Cut the connection: how HTTP/1.1 says that a response is not whole."""
        self._writer.transport.abort()

    def _head(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        self.begun = True
        fields = (f"{name}: {value}" for name, value in wire.safe_fields(headers))
        lines = [f"HTTP/1.1 {status} {_phrase(status)}", *fields]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))


_CLOSE = [("connection", "close")]
Serve = Callable[[Incoming, Outgoing], Awaitable[None]]


class Server:
    """Listens, and answers each connection's requests one after the other.

    Args:
        serve: Answers one request.
        limits: What one client may take.
    """

    def __init__(self, serve: Serve, limits: Limits = PUBLIC) -> None:
        self._serve = serve
        self._limits = limits
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def listen(self, host: str, port: int) -> int:
        """Listen; the port, which is a free one for 0.

        Raises:
            OSError: The address is in use, or not ours.
        """
        limit = self._limits.head
        self._server = await asyncio.start_server(self._connected, host, port, limit=limit)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Stop listening and cut what is open."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= self._limits.connections:
            writer.transport.abort()
            return
        task = asyncio.create_task(self._converse(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._exchange(reader, Outgoing(reader, writer)):
                pass
        except TooLarge:
            Outgoing(reader, writer).whole(431, _CLOSE)
        except TimeoutError:
            Outgoing(reader, writer).whole(408, _CLOSE)
        except (ProtocolError, asyncio.LimitOverrunError):
            Outgoing(reader, writer).whole(400, _CLOSE)
        except (OSError, asyncio.IncompleteReadError):
            pass  # The other side left.
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, outgoing: Outgoing) -> bool:
        head = await self._head(reader)
        incoming = Incoming(head, reader, outgoing, self._limits.body_seconds)
        outgoing.suit(incoming)
        await self._serve(incoming, outgoing)
        closes = head.get("connection").lower() == "close" or incoming.protocol == "HTTP/1.0"
        return incoming.is_read and not closes and not outgoing.is_gone

    async def _head(self, reader: asyncio.StreamReader) -> Head:
        start = b""
        try:
            async with asyncio.timeout(self._limits.head_seconds):
                start = await reader.readexactly(1)
                rest = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise TooLarge("the head is too large") from None
        except TimeoutError:
            if start:
                raise
            # A status without a request would be taken for the answer to the next one.
            raise asyncio.IncompleteReadError(b"", 1) from None
        return parse_head((start + rest)[:-4])


def _request_line(line: str) -> tuple[str, str, str]:
    parts = line.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise ProtocolError("not an HTTP/1 request")
    return parts[0], parts[1], parts[2]


def _nothing(_: bytes) -> bytes:
    return b""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
