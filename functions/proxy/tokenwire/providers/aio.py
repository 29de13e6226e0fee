"""httpx2 over aiohttp, where that is installed: reads cost a fraction. Imported on first use.

The transport that OpenAI's SDK brings for aiohttp reads in pieces of 16 KiB, through five nested
iterators. This one also hands out aiohttp's own reader, in the response's extensions.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import aiohttp
import httpx2
from yarl import URL

_KEEP_ALIVE = 5.0

_ERRORS: tuple[tuple[type[Exception], type[httpx2.TransportError]], ...] = (
    (aiohttp.InvalidURL, httpx2.UnsupportedProtocol),
    (aiohttp.NonHttpUrlClientError, httpx2.UnsupportedProtocol),
    (aiohttp.ServerTimeoutError, httpx2.ConnectTimeout),
    (TimeoutError, httpx2.ConnectTimeout),
    (aiohttp.ClientConnectorError, httpx2.ConnectError),
    (aiohttp.ClientError, httpx2.ReadError),
    (OSError, httpx2.ReadError),
)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        for given, wanted in _ERRORS:
            if isinstance(error, given):
                raise wanted(str(error)) from error
        raise


class _Body(httpx2.AsyncByteStream):
    """The body of a response, as httpx2 reads it."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translated():
            while data := await self._response.content.readany():
                yield data

    async def aclose(self) -> None:
        # Closes the connection if the body has not been read to its end.
        self._response.release()
        await self._response.wait_for_close()


class AioTransport(httpx2.AsyncBaseTransport):
    """A pool of connections.

    Args:
        connect_timeout: Seconds. Reading has no limit here: the pump has its own.
        connections: Open at once.
        read: The name of the extension of a response that has aiohttp's reader.
    """

    def __init__(self, connect_timeout: float, connections: int, read: str) -> None:
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout)
        self._connections = connections
        self._read = read
        self._certificates = httpx2.create_ssl_context()
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; return its response, of which nothing but the head has been read."""
        session = self._session = self._session or self._connected()
        with _translated():
            response = await session.request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=request.headers.multi_items(),
                data=request.content or None,
                allow_redirects=False,
                timeout=self._timeout,
            )
        return httpx2.Response(
            response.status,
            headers=response.raw_headers,
            stream=_Body(response),
            request=request,
            extensions={"http_version": b"HTTP/1.1", self._read: response.content.readany},
        )

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _connected(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=self._connections, keepalive_timeout=_KEEP_ALIVE, ssl=self._certificates
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),  # no caller gets a cookie of another one's
            auto_decompress=False,
            skip_auto_headers=("user-agent", "accept", "accept-encoding", "content-type"),
        )
