"""Bounds on what a provider may send besides an answer. Imported on first use."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2

MAX_ERROR = 64 * 1024
"""Bytes of an error's body that are read."""
MAX_LIST = 4 * 1024 * 1024
"""Bytes of a list of models that are read."""


class _Bounded(httpx2.AsyncByteStream):
    """A body that ends after ``limit`` bytes, or sooner."""

    def __init__(self, body: httpx2.AsyncByteStream, limit: int) -> None:
        self._body = body
        self._left = limit

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._body:
            yield part[: self._left]
            self._left -= len(part)
            if self._left <= 0:
                return

    async def aclose(self) -> None:
        await self._body.aclose()


async def bound(response: httpx2.Response) -> None:
    """Cut the body of an error, or of a list, short: a hook for a client's responses.

    Every client here has it, so that neither an SDK nor tokenwire reads an endless error. Requests
    ask for bodies without compression; one that comes compressed all the same is left unread,
    as a bound on its bytes would not be one on what they unpack to.
    """
    is_error = not response.is_success
    if not (is_error or response.request.method == "GET"):
        return
    if response.headers.get("content-encoding", "identity") != "identity":
        response.stream = _Bounded(_raw(response), 0)
        del response.headers["content-encoding"]
        return
    response.stream = _Bounded(_raw(response), MAX_ERROR if is_error else MAX_LIST)


def _raw(response: httpx2.Response) -> httpx2.AsyncByteStream:
    assert isinstance(response.stream, httpx2.AsyncByteStream)  # noqa: S101 - of an AsyncClient
    return response.stream
