"""Requests to providers that are spoken to without an SDK. Imported on first use.

What an SDK would do for us is here in fifty lines: one pool of connections, no redirects, and
retries, with back-off, for as long as no answer has begun.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field

import httpx2

from ..errors import TokenwireError
from .bounds import bound
from .failures import broken, from_status, unreachable
from .protocol import TRACE_HEADERS

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0


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
        timeout = httpx2.Timeout(None, connect=connect_timeout)
        limits = httpx2.Limits(max_connections=10_000, max_keepalive_connections=100)
        self._client = httpx2.AsyncClient(
            timeout=timeout,
            limits=limits,
            follow_redirects=False,
            event_hooks={"response": [bound]},
        )
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


async def read(response: httpx2.Response) -> AsyncIterator[bytes]:
    """The body, as it comes.

    Raises:
        UpstreamError: The connection broke (``upstream_disconnected``).
    """
    try:
        async for part in response.aiter_bytes():
            yield part
    except httpx2.HTTPError as error:
        raise broken(error) from None
