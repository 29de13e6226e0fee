"""One request to a provider that is spoken to without an SDK, whoever lets us in there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from ..wire.protocol import ChatRequest

if TYPE_CHECKING:
    import httpx2


class Speech(Protocol):
    """What an API is asked, and what its answer says."""

    @property
    def ask(self) -> Callable[[ChatRequest, str], tuple[str, Any]]:
        """A request and a model to the path and the body of the POST. Raises ClientError."""

    @property
    def read(self) -> Callable[[httpx2.Response, str], AsyncIterator[bytes]]:
        """The response and the model to the blocks."""


def exchange(
    api: Speech,
    post: Callable[[str, Any], Awaitable[httpx2.Response]],
    request: ChatRequest,
    model: str,
) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
    """Translate the request now; post it, streamed, when the context is entered.

    Args:
        api: Its words.
        post: Sends a body to a path; an open response.
        request: What is asked.
        model: Of whom.

    Raises:
        ClientError: The request cannot be said there.
        TokenwireError: As ``failures`` says.
    """
    path, body = api.ask(request, model)
    return _posted(api, partial(post, path, body), model)


@asynccontextmanager
async def _posted(
    api: Speech, send: Callable[[], Awaitable[httpx2.Response]], model: str
) -> AsyncIterator[AsyncIterator[bytes]]:
    response = await send()
    try:
        yield api.read(response, model)
    finally:
        await response.aclose()


async def verbatim(response: httpx2.Response, model: str) -> AsyncIterator[bytes]:
    """The body as it comes: for an API whose stream is in a dialect of ours."""
    from .http import read

    async for data in read(response):
        yield data
