"""What a provider is: it opens an upstream and yields its bytes untouched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from ..dialects.protocol import ChatRequest


class Provider(Protocol):
    """One configured place that answers."""

    @property
    def name(self) -> str:
        """As in ``provider/model``, in metrics and in the log line."""

    @property
    def dialect(self) -> str:
        """The name of the dialect that its streams are in."""

    async def prepare(self) -> None:
        """Import and set up what the first request would otherwise wait for."""

    def open(
        self, request: ChatRequest, model: str
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Translate the request now; send it when the context is entered.

        The context is the body as it arrives, cut anywhere. It is entered once the provider's
        response has begun and has a good status. Leaving it closes the connection at once, unless
        the body was read to its end; so does cancelling the task while it waits. ``model`` is the
        provider's own name, without our prefix.

        Raises:
            ClientError: At once, the request cannot be expressed to the provider; ``param`` is a
                path in its body. When entered, the provider found the request itself at fault.
            UpstreamError: When entered, the provider refused, failed or could not be reached;
                or, from the iterator, the connection broke (``upstream_disconnected``).
        """

    async def models(self) -> list[str]:
        """The names it offers, without our prefix; empty when it will not say."""

    async def aclose(self) -> None:
        """Release connections."""


class Key(Protocol):
    """A provider's secret, which may be rotated while we run."""

    async def __call__(self) -> str:
        """The value in use now.

        Raises:
            ProxyError: It cannot be had (code ``secret_unavailable``); names the reference,
                never the value.
        """

    async def refresh(self) -> bool:
        """Fetch it anew, after a provider has refused it; whether it changed."""
