"""What a provider is: it opens an upstream and yields its bytes untouched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from ..wire.protocol import ChatRequest


class Upstream(Protocol):
    """An open provider stream: its response has begun and has a good status."""

    @property
    def request_id(self) -> str | None:
        """The provider's own id for the call, for its support desk."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """The body as it arrives, cut anywhere.

        Raises:
            UpstreamError: The connection broke (``upstream_disconnected``), or the provider
                ended the body otherwise than whole.
        """


class Provider(Protocol):
    """One configured place that answers."""

    @property
    def name(self) -> str:
        """As in ``provider/model``, in metrics and in the log line."""

    @property
    def dialect(self) -> str:
        """The name of the dialect that its streams are in."""

    def open(self, request: ChatRequest, model: str) -> AbstractAsyncContextManager[Upstream]:
        """Send the request; the context is the open upstream, closed at once on exit.

        ``model`` is the provider's own name of it, without our prefix. Cancelling the
        task while this waits closes the connection.

        Raises:
            UpstreamError: The provider refused, failed or could not be reached.
            ClientError: The provider found the request itself at fault.
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
