"""One request to a provider that is spoken to without an SDK, however it authenticates us."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from ..dialects.protocol import ChatRequest
from .guard import guarded

if TYPE_CHECKING:
    import httpx2


@dataclass(frozen=True, slots=True)
class Post:
    """A request in a provider's own words.

    Args:
        path: Below the provider's address.
        body: To be encoded as JSON.
        headers: What this request adds to the provider's own.
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
    """How an API is asked, and how its answers are read."""

    @property
    def ask(self) -> Callable[[ChatRequest, str], Post]:
        """A request and a model to the POST. Raises ClientError."""

    @property
    def read(self) -> Callable[[httpx2.Response, str, Post], AsyncIterator[bytes]]:
        """The response, the model and what was posted to the blocks."""


def exchange(
    api: WireFormat,
    send: Callable[[Post], Awaitable[Sent]],
    request: ChatRequest,
    model: str,
) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
    """Translate the request now; post it, streamed, when the context is entered.

    Args:
        api: Its words.
        send: Sends a POST.
        request: What is asked.
        model: Of which model.

    Raises:
        ClientError: The request cannot be expressed there.
        TokenwireError: As ``failures`` says.
    """
    return _posted(api, send, api.ask(request, model), model)


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
        yield guarded(api.read(response, model, post), sent.secrets)
    finally:
        await response.aclose()
