"""Requests to providers that are spoken to without an SDK. Imported on first use.

What an SDK would do for us is here in fifty lines: one pool of connections, no redirects, and
retries, with back-off, for as long as no answer has begun.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import Self, TypeAlias, TypeVar
from urllib.request import getproxies

import httpx2

from ..errors import TokenwireError
from .bounds import bound
from .failures import broken, from_status, unreachable
from .protocol import TRACE_HEADERS

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0
_CONNECTIONS = 10_000
Client = TypeVar("Client", bound=httpx2.AsyncClient)
Read: TypeAlias = Callable[[], Awaitable[bytes]]
"""Return what has arrived of a body, at least one byte; empty at its end."""
READ = "tokenwire.read"
"""A response's extension: a ``Read`` of its transport, which costs less than httpx2's iterators."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``secrets`` are removed from the message of its failure.

    The URL's query may hold secrets too.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    secrets: Iterable[str] = field(default=(), repr=False)


class Http:
    """A provider's connections.

    Args:
        connect_timeout: Seconds. Reading has no limit here: the pump keeps those.
        max_retries: On 408, 409, 429, 5xx and broken connections, before the answer begins.
    """

    def __init__(self, connect_timeout: float, max_retries: int) -> None:
        self._client = client(httpx2.AsyncClient, connect_timeout)
        self._max_retries = max_retries

    async def post(self, call: Call) -> httpx2.Response:
        """An open response with a status of success; its body has not been read.

        Raises:
            TokenwireError: As ``failures``, after the last try.
        """
        left, pause = self._max_retries, _FIRST_PAUSE
        while True:
            try:
                return await self._once(call)
            except TokenwireError as error:
                if not (left and error.retryable):
                    raise
                wait = error.retry_after or pause * (1 - random.random() / 4)  # noqa: S311
            await asyncio.sleep(min(wait, _LONGEST_PAUSE))
            left, pause = left - 1, pause * 2

    async def _once(self, call: Call) -> httpx2.Response:
        try:
            request = self._client.build_request(
                "POST",
                call.url,
                headers={**TRACE_HEADERS.get(), **call.headers},
                content=call.content,
            )
            response = await self._client.send(request, stream=True)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise unreachable(error) from None
        if response.is_success:
            return response
        body = await _error(response)
        failure = from_status(response.status_code, body, response.headers, call.secrets)
        if response.headers.get("x-should-retry") == "false":
            failure.retryable = False
        raise failure

    async def get(self, url: str, headers: Mapping[str, str]) -> object:
        """A small JSON document; None if it cannot be had."""
        try:
            response = await self._client.get(url, headers=dict(headers), timeout=5.0)
            return json.loads(response.content) if response.status_code == 200 else None
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, RecursionError):
            return None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def _error(response: httpx2.Response) -> object:
    """The error object in a refusal's body."""
    try:
        found = json.loads(await response.aread())
    except (httpx2.HTTPError, ValueError, RecursionError):
        return None
    finally:
        await response.aclose()
    return found.get("error", found) if isinstance(found, dict) else None


def client(kind: type[Client], connect_timeout: float) -> Client:
    """Return a client that never goes where a provider sends it: the settings alone name hosts."""
    return kind(
        timeout=httpx2.Timeout(None, connect=connect_timeout),
        limits=httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=100),
        follow_redirects=False,
        event_hooks={"response": [bound]},
        transport=_transport(connect_timeout),
    )


def _transport(connect_timeout: float) -> httpx2.AsyncBaseTransport | None:
    """Return aiohttp's, if it is installed; None where httpx2 has to ask proxies."""
    if find_spec("aiohttp") is None or getproxies():
        return None
    from .aio import AioTransport

    return AioTransport(connect_timeout, _CONNECTIONS, READ)


class Body:
    """The body of a response, as it comes: from the transport's own reader, where it has one.

    Raises:
        UpstreamError: The connection broke (``upstream_disconnected``).
    """

    def __init__(self, response: httpx2.Response) -> None:
        raw = None if "content-encoding" in response.headers else response.extensions.get(READ)
        self._read: Read = raw or partial(anext, response.aiter_bytes(), b"")

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            data: bytes = await self._read()
        except Exception as error:
            raise broken(error) from None
        if not data:
            raise StopAsyncIteration
        return data
