"""One request to a provider without an SDK, independent of how the request is authenticated."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..dialects.protocol import ParsedRequest
from .guard import Guarded

if TYPE_CHECKING:
    import httpx2


@dataclass(frozen=True, slots=True)
class Post:
    """A request in the format of a provider's API.

    Args:
        path: Below the provider's address.
        body: Encoded as JSON.
        headers: Further headers of this request.
        one_call: Whether tool calls beyond the first are left out of the answer, because the
            caller wants no parallel ones and the API has no parameter for that.
    """

    path: str
    body: Any = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    one_call: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """An open response, and the secrets that went with its request."""

    response: httpx2.Response
    secrets: Iterable[str] = field(repr=False)


class WireFormat(Protocol):
    """How requests to an API are written, and how its responses are read."""

    @property
    def translate(self) -> Callable[[ParsedRequest, str], Post]:
        """Translate a request and a model to the POST. Raises ClientError."""

    @property
    def read(self) -> Callable[[httpx2.Response, str, Post], AsyncIterator[bytes]]:
        """Read the response to a POST, for a model, as blocks."""


def exchange(
    api: WireFormat,
    send: Callable[[Post], Awaitable[Sent]],
    request: ParsedRequest,
    model: str,
) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
    """Translate the request now; post it, streamed, when the context is entered.

    Args:
        api: The format of requests and responses.
        send: Sends a POST.
        request: The caller's request.
        model: The provider's name of the model.

    Raises:
        ClientError: The request cannot be expressed in this API.
        TokenwireError: As ``failures``.
    """
    return _posted(api, send, api.translate(request, model), model)


@asynccontextmanager
async def _posted(
    api: WireFormat,
    send: Callable[[Post], Awaitable[Sent]],
    post: Post,
    model: str,
) -> AsyncIterator[AsyncIterator[bytes]]:
    sent = await send(post)
    response = sent.response
    try:
        yield Guarded(api.read(response, model, post), sent.secrets)
    finally:
        await response.aclose()
