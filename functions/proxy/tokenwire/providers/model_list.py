"""The names of the models that a provider offers, for a while."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

TTL = 300.0
"""Seconds for which a provider's list is used before it is fetched again."""


class ModelList:
    """The configured names, or else those that the provider listed at most ``TTL`` ago.

    Args:
        configured: Names to use without fetching any.
        fetch: Fetches the provider's list; returns an empty one if that fails.
        clock: Monotonic time in seconds.
    """

    def __init__(
        self,
        configured: Sequence[str],
        fetch: Callable[[], Awaitable[list[str]]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._configured = list(configured)
        self._fetch = fetch
        self._clock = clock
        self._held: tuple[float, list[str]] | None = None
        self._fetching = asyncio.Lock()

    def hold(self, names: Sequence[str]) -> None:
        """Use these names, which the provider has just listed."""
        self._held = (self._clock(), list(names))

    async def get(self) -> list[str]:
        """Return the names. Concurrent callers share one fetch."""
        if self._configured:
            return list(self._configured)
        async with self._fetching:
            if self._held is None or self._clock() - self._held[0] > TTL:
                self._held = (self._clock(), await self._fetch())
            return self._held[1]


def names(found: Mapping[str, Any], field: str = "data", key: str = "id") -> list[str]:
    """Return ``item[key]`` for each item of ``found[field]``, a provider's list of models."""
    listed = found.get(field)
    items = listed if isinstance(listed, list) else []
    return [str(item[key]) for item in items if isinstance(item, dict) and key in item]
