"""The secrets of a provider's requests, and what to do when the provider refuses them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

from ..errors import TokenwireError
from .protocol import Key

_Response = TypeVar("_Response")


async def values(keys: Mapping[str, Key]) -> dict[str, str]:
    """Return the values in use now.

    Raises:
        ProxyError: One cannot be read (``secret_unavailable``).
    """
    return {name: await key() for name, key in keys.items()}


async def with_rotation(send: Callable[[], Awaitable[_Response]], keys: Iterable[Key]) -> _Response:
    """Send a request; once more with new secrets, if the old ones were refused and have changed.

    Args:
        send: Sends the request with the values in use at that moment.
        keys: Every secret of the request.

    Raises:
        TokenwireError: As ``send``.
    """
    try:
        return await send()
    except TokenwireError as error:
        if error.code != "upstream_auth" or not await _refreshed(keys):
            raise
    return await send()


async def _refreshed(keys: Iterable[Key]) -> bool:
    # Each is refreshed, also once one has changed: several may have been rotated together.
    return any([await key.refresh() for key in keys])
