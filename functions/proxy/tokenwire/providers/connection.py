"""One HTTP/1.1 connection to a provider, parsed by httptools. Imported on first use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import cast

import httptools
import httpx2

from ..hotpath import ServePiece, ServePieces

MAX_HEAD = 64 * 1024
"""Bytes of a response's head."""
MAX_FIELDS = 256
_HIGH_WATER = 64 * 1024
"""Bytes of a body that are held before the connection is not read any more."""


class Exchange:
    """One request's response. ``status`` and ``headers`` are set once ``head`` is done.

    Args:
        connection: Its connection.
        head: Done once the head has arrived.
        pieces: Where the parser puts pieces of the body; ``deliver`` follows.
    """

    __slots__ = (
        "_connection",
        "_held",
        "_pieces",
        "_size",
        "_waiter",
        "ended",
        "failure",
        "head",
        "headers",
        "serve",
        "serve_many",
        "status",
    )

    def __init__(
        self, connection: Connection, head: asyncio.Future[None], pieces: list[bytes]
    ) -> None:
        self._connection = connection
        self._held: list[bytes] = []
        self._pieces = pieces
        self._size = 0
        self.serve: ServePiece | None = None
        self.serve_many: ServePieces | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.head = head
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.ended = False
        self.failure: Exception | None = None

    async def read(self) -> bytes:
        """Return what has arrived of the body, at least one byte; empty at its end.

        Raises:
            httpx2.ReadError: The connection broke.
        """
        while not self._held:
            if self.failure is not None:
                raise self.failure
            if self.ended:
                return b""
            await self._wait()
        data = b"".join(self._held)
        self._held.clear()
        self._size = 0
        self._connection.resume()
        return data

    async def follow(self, serve: ServePiece, serve_many: ServePieces | None = None) -> None:
        """As ``hotpath.Followed``: what arrives is served where it arrives."""
        if self._held or self.ended or self.failure is not None:
            return
        self.serve, self.serve_many = serve, serve_many
        try:
            await self._wait()
        finally:
            self.serve = self.serve_many = None

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def deliver(self) -> None:
        """Pass on the pieces that one read of the connection has brought."""
        if not self._pieces:
            return
        pieces = self._pieces.copy()
        self._pieces.clear()
        if self.serve is not None:
            try:
                if not self._served(self.serve, pieces):
                    self.part()
            except Exception as error:
                self.part(error)
            return
        data = b"".join(pieces)
        self._held.append(data)
        self._size += len(data)
        if self._size > _HIGH_WATER:
            self._connection.pause()
        self._wake()

    def _served(self, serve: ServePiece, pieces: list[bytes]) -> bool:
        if self.serve_many is not None and len(pieces) > 1:
            return self.serve_many(pieces)
        return serve(b"".join(pieces))

    def part(self, error: Exception | None = None) -> None:
        """Call ``serve`` no more: it has declined, or failed with ``error``."""
        self.serve = self.serve_many = None
        if error is not None and self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
        self._wake()

    def end(self) -> None:
        """The body is complete."""
        self.deliver()
        self.ended = True
        self._wake()

    def fail(self, error: Exception) -> None:
        """The connection broke. That is a failure unless the response was complete."""
        if self.ended:
            return
        self.deliver()
        self.failure = error
        if not self.head.done():
            self.head.set_exception(error)
        self._wake()

    def close(self) -> None:
        """Abandon the response: its connection is closed, unless it is complete."""
        if not self.ended:
            self._connection.abort()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Connection(asyncio.Protocol):
    """Sends one request at a time.

    Args:
        idle: Called when the connection can take another request.
        lost: Called when it is closed.
    """

    __slots__ = (
        "_begun",
        "_completed",
        "_exchange",
        "_head",
        "_idle",
        "_is_between_chunks",
        "_is_chunked",
        "_is_paused",
        "_lost",
        "_parser",
        "_pieces",
        "_transport",
        "expiry",
        "on_body",
        "on_chunk_complete",
        "on_chunk_header",
    )

    def __init__(
        self, idle: Callable[[Connection], None], lost: Callable[[Connection], None]
    ) -> None:
        self._idle = idle
        self._lost = lost
        self._exchange: Exchange | None = None
        self._pieces: list[bytes] = []
        # Chunks that have begun, and those that are complete. A read may have hundreds: what the
        # parser calls for each is no function of Python.
        self._begun, self._completed = count(), count()
        self.on_body = self._pieces.append
        self.on_chunk_header = self._begun.__next__
        self.on_chunk_complete = self._completed.__next__
        self._parser = httptools.HttpResponseParser(self)
        self._head = 0
        self._is_between_chunks = self._is_chunked = False
        self._is_paused = False
        self._transport: asyncio.Transport | None = None
        self.expiry: asyncio.TimerHandle | None = None

    @property
    def usable(self) -> bool:
        """Whether it is open."""
        return self._transport is not None and not self._transport.is_closing()

    async def send(self, request: bytes) -> Exchange:
        """Send a request; return its response once the head has arrived.

        Raises:
            httpx2.TransportError: The connection broke.
        """
        transport = self._transport
        if transport is None:
            raise httpx2.ReadError("The connection is closed.")
        head: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        exchange = self._exchange = Exchange(self, head, self._pieces)
        transport.write(request)
        try:
            await head
        except BaseException:
            self.abort()
            raise
        return exchange

    def pause(self) -> None:
        """Stop reading."""
        if not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        """Go on reading."""
        if self._is_paused and self.usable and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close it at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As ``asyncio.Protocol``."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is of no class of asyncio

    def data_received(self, data: bytes) -> None:
        """As ``asyncio.Protocol``."""
        exchange = self._exchange
        if exchange is None:
            self.abort()  # nothing was requested
            return
        if self._is_between_chunks and (serve := exchange.serve) is not None:
            # One chunk and nothing else, as a paced stream has it. The parser, which is between
            # two chunks, need not see it: its state would be the same afterwards.
            line, _, rest = data.partition(b"\r\n")
            size = len(rest) - 2
            if size > 0 and line.lower() == b"%x" % size and rest[size:] == b"\r\n":
                try:
                    if not serve(rest[:size]):
                        exchange.part()
                except Exception as error:
                    exchange.part(error)
                return
        self._parse(exchange, data)

    def _parse(self, exchange: Exchange, data: bytes) -> None:
        if not exchange.head.done():
            self._head += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(exchange)
            return
        # Both are called, so that they count on together. A part of the next chunk's size may have
        # come, which the parser does not report.
        are_complete = next(self._begun) == next(self._completed)
        self._is_between_chunks = self._is_chunked and are_complete and data.endswith(b"\r\n")
        if self._exchange is not exchange:
            self._pieces.clear()  # of what was not requested
            return
        exchange.deliver()
        if self._head > MAX_HEAD and not exchange.head.done():
            self._refuse(exchange)

    def _refuse(self, exchange: Exchange) -> None:
        exchange.fail(httpx2.RemoteProtocolError("The response is not HTTP/1.1."))
        self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """As ``asyncio.Protocol``."""
        self._transport = None
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            if exc is None and exchange.head.done() and not _is_delimited(exchange.headers):
                exchange.end()
            else:
                exchange.fail(httpx2.ReadError("The connection was closed."))
        self._lost(self)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head, or of the trailers, which are dropped."""
        exchange = self._exchange
        if exchange is not None and not exchange.head.done():
            exchange.headers.append((name, value))
            if len(exchange.headers) > MAX_FIELDS:
                raise ValueError("too many fields")

    def on_headers_complete(self) -> None:
        """The head is complete."""
        exchange = self._exchange
        if exchange is None or exchange.head.done():
            return
        exchange.status = self._parser.get_status_code()
        if exchange.status < 200:
            exchange.headers.clear()  # such as 103: the response follows
        else:
            self._is_chunked = _is_chunked(exchange.headers)
            exchange.head.set_result(None)

    def on_message_complete(self) -> None:
        """The response is complete, or was an informational one."""
        exchange = self._exchange
        if exchange is None or not exchange.head.done():
            return
        self._exchange, self._head = None, 0
        self._is_between_chunks = self._is_chunked = False
        exchange.end()
        if self._parser.should_keep_alive() and self.usable:
            self._idle(self)
        else:
            self.abort()


def _is_chunked(headers: list[tuple[bytes, bytes]]) -> bool:
    """Return whether a body consists of chunks, and of nothing around them."""
    codings = [value.lower() for name, value in headers if name.lower() == b"transfer-encoding"]
    return codings == [b"chunked"]


def _is_delimited(headers: list[tuple[bytes, bytes]]) -> bool:
    """Return whether a body's end is marked otherwise than by the end of its connection."""
    return any(name.lower() in (b"content-length", b"transfer-encoding") for name, _ in headers)
