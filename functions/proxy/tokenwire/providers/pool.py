"""httpx2 over connections of our own, where httptools is installed. Imported on first use.

aiohttp and httpcore hand each piece of a body through two to four layers and a wake-up of a task,
which costs more than everything else that is done with a block (docs/decisions.md).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import httpx2

from ..hotpath import INCOMING
from .certificates import trusted
from .connection import Connection, Exchange

_Origin: TypeAlias = tuple[str, str, int]
_PORTS = {"http": 80, "https": 443}
_KEEP_ALIVE = 5.0
"""Seconds for which an unused connection is kept."""
_OURS = frozenset({b"host", b"content-length", b"transfer-encoding"})


class _Body(httpx2.AsyncByteStream):
    """The body of a response, as httpx2 reads it."""

    def __init__(self, exchange: Exchange, timeout: float | None) -> None:
        self._exchange = exchange
        self._timeout = timeout

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self._read():
            yield data

    async def _read(self) -> bytes:
        with _read_timeout():
            async with asyncio.timeout(self._timeout):
                return await self._exchange.read()

    async def aclose(self) -> None:
        self._exchange.close()


class Pool(httpx2.AsyncBaseTransport):
    """Connections by origin, used again.

    Args:
        limit: Connections that may be open.
        certificates: Which certificates are trusted. By default as httpx2.
    """

    def __init__(self, limit: int, certificates: ssl.SSLContext | None = None) -> None:
        self._limit = limit
        self._certificates = certificates or trusted()
        self._origins: dict[Connection, _Origin] = {}
        self._idle: dict[_Origin, list[Connection]] = {}
        # A provider has one address, or one per model.
        self._target = lru_cache(64)(lambda url: _Target.of(httpx2.URL(url)))

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; return its response, of which nothing but the head has been read."""
        body = await request.aread()
        timeouts: dict[str, float | None] = request.extensions.get("timeout", {})
        target = _Target.of(request.url)
        connection = await self._connection(target.origin, timeouts.get("connect"))
        with _read_timeout():
            async with asyncio.timeout(timeouts.get("read")):
                exchange = await connection.send(
                    target.request(request.method, request.headers.raw, body)
                )
        response = _response(exchange, timeouts.get("read"))
        response.request = request
        return response

    async def post(
        self, url: str, headers: Mapping[str, str], content: bytes, seconds: float
    ) -> httpx2.Response:
        """Send a POST, without what httpx2 does for a request of any kind.

        Args:
            url: Where to.
            headers: All but ``Host`` and ``Content-Length``.
            content: The body.
            seconds: To connect.
        """
        target = self._target(url)
        fields = [(name.encode(), value.encode()) for name, value in headers.items()]
        data = target.request("POST", fields, content)
        connection = await self._connection(target.origin, seconds)
        return _response(await connection.send(data))

    async def aclose(self) -> None:
        """Close every connection."""
        for connection in tuple(self._origins):
            connection.abort()
        await asyncio.sleep(0)  # for the loop to close them

    async def _connection(self, origin: _Origin, seconds: float | None) -> Connection:
        idle = self._idle.get(origin, [])
        while idle:
            connection = idle.pop()
            if connection.expiry is not None:
                connection.expiry.cancel()
            if connection.usable:
                return connection
        if len(self._origins) >= self._limit:
            raise httpx2.PoolTimeout("Too many connections are open.")
        return await self._connect(origin, seconds)

    async def _connect(self, origin: _Origin, seconds: float | None) -> Connection:
        scheme, host, port = origin
        secure = scheme == "https"
        try:
            async with asyncio.timeout(seconds):
                _, connection = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self._release, self._forget),
                    host,
                    port,
                    ssl=self._certificates if secure else None,
                    server_hostname=host if secure else None,
                )
        except TimeoutError as error:
            raise httpx2.ConnectTimeout("The connection took too long.") from error
        except (OSError, ssl.SSLError) as error:
            raise httpx2.ConnectError("The connection failed.") from error
        self._origins[connection] = origin
        return connection

    def _release(self, connection: Connection) -> None:
        origin = self._origins.get(connection)
        if origin is None:
            connection.abort()
            return
        self._idle.setdefault(origin, []).append(connection)
        loop = asyncio.get_running_loop()
        connection.expiry = loop.call_later(_KEEP_ALIVE, connection.abort)

    def _forget(self, connection: Connection) -> None:
        if connection.expiry is not None:
            connection.expiry.cancel()
        origin = self._origins.pop(connection, None)
        if origin is not None and connection in (idle := self._idle.get(origin, [])):
            idle.remove(connection)


@contextmanager
def _read_timeout() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise httpx2.ReadTimeout("The response took too long.") from error


def _response(exchange: Exchange, read_timeout: float | None = None) -> httpx2.Response:
    return httpx2.Response(
        exchange.status,
        headers=exchange.headers,
        stream=_Body(exchange, read_timeout),
        extensions={"http_version": b"HTTP/1.1", INCOMING: exchange},
    )


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a request goes."""

    origin: _Origin
    path: bytes
    host: bytes

    @classmethod
    def of(cls, url: httpx2.URL) -> _Target:
        """Return the target of an address. Raises UnsupportedProtocol."""
        if url.scheme not in _PORTS or not url.host:
            raise httpx2.UnsupportedProtocol("The address must begin with http:// or https://.")
        port = url.port or _PORTS[url.scheme]
        return cls((url.scheme, url.host, port), url.raw_path, url.netloc)

    def request(self, method: str, fields: Iterable[tuple[bytes, bytes]], body: bytes) -> bytes:
        """Return the bytes of a request.

        Raises:
            httpx2.LocalProtocolError: A header field has a line end.
        """
        given = [b"%b: %b" % field for field in fields if field[0].lower() not in _OURS]
        size = [b"content-length: %d" % len(body)] if body or method == "POST" else []
        first = b"%b %b HTTP/1.1\r\nhost: %b" % (method.encode(), self.path, self.host)
        head = b"\r\n".join([first, *given, *size])
        ends = 1 + len(given) + len(size)
        if head.count(b"\n") != ends or head.count(b"\r") != ends or b"\0" in head:
            raise httpx2.LocalProtocolError("A header field has a line end.")
        return b"%b\r\n\r\n%b" % (head, body)
