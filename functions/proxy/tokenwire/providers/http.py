"""Requests to providers. Imported on first use.

One pool of connections, no redirects, and retries with back-off until the response begins.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self, TypeAlias
from urllib.request import getproxies

import httpx2

from ..errors import TokenwireError
from ..hotpath import INCOMING, Incoming, ServePiece, ServePieces, follow
from .bounds import bound
from .certificates import trusted
from .failures import broken, from_status, unreachable
from .protocol import TRACE_HEADERS, Reply

if TYPE_CHECKING:
    from .pool import Pool

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0
_LONGEST_GET = 5.0
_CONNECTIONS = 10_000
Read: TypeAlias = Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``secrets`` are removed from the message of its failure.

    The URL's query may hold secrets too.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)
    secrets: Iterable[str] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """A response to a GET. ``body`` is None if it is no JSON."""

    status: int
    headers: Mapping[str, str]
    body: object

    def reply(self, models: Callable[[Mapping[str, Any]], list[str]]) -> Reply:
        """Return it as a list of models, which ``models`` reads from a body with success."""
        body = self.body if self.status == 200 else None
        names = sorted(models(body)) if isinstance(body, dict) else []
        return Reply(self.status, tuple(names), self.headers.get("date", ""))


@dataclass(frozen=True, slots=True)
class _Failure:
    """A request that failed, and whether it may be sent to the same provider again."""

    error: TokenwireError
    may_repeat: bool


class Http:
    """A provider's connections.

    Args:
        connect_timeout: Seconds. Reading has no limit here: the pump keeps those.
        max_retries: On 408, 409, 429, 5xx and broken connections, before the answer begins.
    """

    def __init__(self, connect_timeout: float, max_retries: int) -> None:
        self._connect_timeout = connect_timeout
        self._pool = _pool()
        self._client = client(connect_timeout, self._pool)
        self._max_retries = max_retries

    async def post(self, call: Call) -> httpx2.Response:
        """An open response with a status of success; its body has not been read.

        Raises:
            TokenwireError: As ``failures``, after the last try.
        """
        left, pause = self._max_retries, _FIRST_PAUSE
        while True:
            found = await self._once(call)
            if isinstance(found, httpx2.Response):
                return found
            if not (left and found.may_repeat):
                raise found.error
            wait = found.error.retry_after or pause * (1 - random.random() / 4)  # noqa: S311
            await asyncio.sleep(min(wait, _LONGEST_PAUSE))
            left, pause = left - 1, pause * 2

    async def _once(self, call: Call) -> httpx2.Response | _Failure:
        try:
            response = await self._response(call, {**TRACE_HEADERS.get(), **call.headers})
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            failure = unreachable(error)
            return _Failure(failure, may_repeat=failure.retryable)
        if response.is_success:
            return response
        body = await _error(response)
        failure = from_status(response.status_code, body, response.headers, call.secrets)
        # This provider asks for no repetition; another one may still answer (``retryable``).
        is_final = response.headers.get("x-should-retry") == "false"
        return _Failure(failure, may_repeat=failure.retryable and not is_final)

    async def _response(self, call: Call, headers: dict[str, str]) -> httpx2.Response:
        if self._pool is None:
            request = self._client.build_request(
                "POST", call.url, headers=headers, content=call.content
            )
            return await self._client.send(request, stream=True)
        response = await self._pool.post(call.url, headers, call.content, self._connect_timeout)
        if not response.is_success:
            response.request = httpx2.Request("POST", call.url)
            await bound(response)
        return response

    async def get(self, url: str, headers: Mapping[str, str]) -> Document:
        """Request a small JSON document once; with any status, within seconds.

        Raises:
            UpstreamError: There was no response.
            ProxyError: The address is no URL (``bad_provider``).
        """
        try:
            response = await self._client.get(url, headers=dict(headers), timeout=_LONGEST_GET)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise unreachable(error) from None
        return Document(response.status_code, response.headers, _json(response.content))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


async def _error(response: httpx2.Response) -> object:
    """The error object in a refusal's body."""
    try:
        found = _json(await response.aread())
    except httpx2.HTTPError:
        return None
    finally:
        await response.aclose()
    return found.get("error", found) if isinstance(found, dict) else None


def _json(content: bytes) -> object:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def client(connect_timeout: float, pool: Pool | None = None) -> httpx2.AsyncClient:
    """Return a client that never goes where a provider sends it: the settings alone name hosts."""
    return httpx2.AsyncClient(
        timeout=httpx2.Timeout(None, connect=connect_timeout),
        limits=httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=100),
        follow_redirects=False,
        event_hooks={"response": [bound]},
        transport=pool or _pool(),
        verify=trusted(),
    )


def _pool() -> Pool | None:
    """Return connections of ours, if a parser is installed; None where httpx2 asks proxies."""
    if find_spec("httptools") is None or getproxies():
        return None
    from .pool import Pool

    return Pool(_CONNECTIONS)


class Body:
    """The body of a response, as it comes: from its connection, where that is ours.

    Raises:
        UpstreamError: The connection broke (``upstream_disconnected``).
    """

    def __init__(self, response: httpx2.Response) -> None:
        is_uncompressed = "content-encoding" not in response.headers
        self._incoming: Incoming | None = (
            response.extensions.get(INCOMING) if is_uncompressed else None
        )
        self._read: Read = (
            self._incoming.read if self._incoming else partial(anext, response.aiter_bytes(), b"")
        )

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            data: bytes = await self._read()
        except Exception:
            raise broken() from None
        if not data:
            raise StopAsyncIteration
        return data

    def follow(self, serve: ServePiece, serve_many: ServePieces | None = None) -> Awaitable[None]:
        """As ``Followed``."""
        return follow(self._incoming, serve, serve_many)
