"""The interface of providers: open an upstream stream, and yield its bytes unchanged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from ..dialects.protocol import ParsedRequest

TRACE_HEADERS: ContextVar[Mapping[str, str]] = ContextVar(
    "tokenwire_trace_headers", default=MappingProxyType({})
)
"""Headers that continue a trace (``traceparent``): transports add them to a stream's request.

They vary by stream, not by request body, so they are no part of what ``open`` translates.
"""


class Provider(Protocol):
    """One configured provider."""

    @property
    def name(self) -> str:
        """As in ``provider/model``, in metrics and in the log line."""

    @property
    def dialect(self) -> str:
        """The name of the dialect of its streams."""

    async def prepare(self) -> None:
        """Import and set up ahead of the first request what that would wait for."""

    def open(
        self, request: ParsedRequest, model: str
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Translate the request now; send it when the context is entered.

        The context is the body as it arrives, cut anywhere. It is entered once the provider's
        response has begun with a status of success. Leaving it closes the connection at once,
        unless the body was read to its end; so does cancelling the task while it waits. ``model``
        is the provider's own name, without our prefix.

        Raises:
            ClientError: At once, the request cannot be expressed to the provider; ``param`` is a
                path in its body. When entered, the provider refused the request as invalid.
            UpstreamError: When entered, the provider refused, failed or could not be reached;
                or, from the iterator, the connection broke (``upstream_disconnected``).
            ProxyError: When entered, the key cannot be read.
        """

    async def models(self) -> list[str]:
        """Return the names of its models, without our prefix; empty if it does not list them."""

    async def aclose(self) -> None:
        """Release connections."""


@dataclass(frozen=True, slots=True)
class Role:
    """What a provider is for.

    Args:
        models: The configured models.
        prefers: As ``ProviderKind``.
        is_stand_in: As ``ProviderKind``.
        is_ambient: Whether the provider is on without anybody having configured it.
    """

    models: tuple[str, ...] = ()
    prefers: tuple[str, ...] = ()
    is_stand_in: bool = False
    is_ambient: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A provider's response to a request for the list of its models.

    Args:
        status: The HTTP status.
        models: The names of its models, without our prefix.
        date: The field ``Date`` of the response; empty without one.
    """

    status: int
    models: tuple[str, ...] = ()
    date: str = ""


@runtime_checkable
class Probed(Protocol):
    """A provider that can tell whether it accepts our key. Optional for plugins."""

    async def probe(self) -> Reply:
        """Request the list of models once, without retries.

        Raises:
            ProxyError: The key or the credentials cannot be read, or the address is no URL.
            UpstreamError: There was no response.
        """


class Key(Protocol):
    """A provider's secret, which may be rotated while we run."""

    async def __call__(self) -> str:
        """Return the value in use now.

        Raises:
            ProxyError: It cannot be read (code ``secret_unavailable``); names the reference,
                never the value.
        """

    async def refresh(self) -> bool:
        """Fetch the value again, after a provider refused it; return whether it changed."""
