"""A stream's copy in a store, as the process that runs the stream holds it."""

from __future__ import annotations

import asyncio
from typing import Protocol

from .keeper import Keeper


class Copy(Protocol):
    """The copy of one stream's log outside of this process."""

    @property
    def complete(self) -> bool | None:
        """Whether the store has all that it should have by now; None where there is no copy."""

    @property
    def is_created(self) -> bool:
        """Whether ``created`` would return at once."""

    def start(self) -> None:
        """Start copying."""

    def stop(self) -> None:
        """Stop copying."""

    async def created(self) -> None:
        """Wait until the log is in the store, or cannot be."""

    async def settled(self) -> None:
        """Wait until the log's end is in the store, or cannot be."""

    async def leased(self) -> float:
        """Return the seconds for which viewers that this process does not see hold a lease."""


class NoCopy:
    """For streams that are held in this process alone."""

    complete = None
    is_created = True

    def start(self) -> None:
        """Do nothing."""

    def stop(self) -> None:
        """Do nothing."""

    async def created(self) -> None:
        """Return at once."""

    async def settled(self) -> None:
        """Return at once."""

    async def leased(self) -> float:
        """Return 0: every viewer is connected to this process."""
        return 0.0


class StoredCopy:
    """A copy that a keeper writes.

    Args:
        keeper: Writes the copy.
        stream_id: The stream, to name the keeper's task.
    """

    def __init__(self, keeper: Keeper, stream_id: str) -> None:
        self._keeper = keeper
        self._id = stream_id
        self._task: asyncio.Task[None] | None = None

    @property
    def complete(self) -> bool:
        """As ``Copy.complete``."""
        return not self._keeper.degraded

    @property
    def is_created(self) -> bool:
        """As ``Copy.is_created``."""
        return self._keeper.created.is_set()

    def start(self) -> None:
        """As ``Copy.start``."""
        self._task = asyncio.create_task(self._keeper.run(), name=f"keep {self._id}")

    def stop(self) -> None:
        """As ``Copy.stop``."""
        if self._task is not None:
            self._task.cancel()

    async def created(self) -> None:
        """As ``Copy.created``."""
        await self._keeper.created.wait()

    async def settled(self) -> None:
        """As ``Copy.settled``."""
        await self._keeper.settled.wait()

    async def leased(self) -> float:
        """As ``Copy.leased``."""
        return await self._keeper.leased()
