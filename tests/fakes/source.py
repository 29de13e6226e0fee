"""A stream whose batches are known, as a store takes them itself; and a store that takes them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from tokenwire.stores.contract import Batch, BatchSource
from tokenwire.stores.exceptions import StoreError


class Batches:
    """As ``contract.BatchSource``: it is over once the store has all batches, or takes no more.

    ``left`` are those that the store is not known to have, ``floors`` what it was told to keep.

    Args:
        batches: What there is to take.
        floor: As of ``Writer.append``.
    """

    def __init__(self, batches: Iterable[Batch], floor: int = 1) -> None:
        self.left = deque(batches)
        self.taken = 0
        self.is_stopped = False
        self._floor = floor
        self._over = asyncio.Event()

    async def follow(self, due: Callable[[object], bool]) -> None:
        """As ``BatchSource.follow``."""
        due(None)
        await self._over.wait()

    def take(self) -> tuple[Batch, int] | None:
        """As ``BatchSource.take``."""
        if self.is_stopped or not self.left:
            return None
        self.taken += 1
        return self.left[0], self._floor

    def took(self, batch: Batch) -> bool:
        """As ``BatchSource.took``."""
        assert self.left.popleft() is batch
        if not self.left:
            self._over.set()
        return bool(self.left)

    def stop(self) -> None:
        """As ``BatchSource.stop``."""
        self.is_stopped = True
        self._over.set()


class Taking:
    """As ``Writer.append_from`` of a store that takes batches itself.

    Args:
        append: As ``Writer.append``; it may fail.
        source: The stream.
    """

    def __init__(
        self, append: Callable[[Batch, int], Awaitable[None]], source: BatchSource
    ) -> None:
        self._append = append
        self._source = source
        self._command: asyncio.Task[None] | None = None

    async def append_from(self) -> None:
        """As ``Writer.append_from``."""
        try:
            await self._source.follow(self._due)
        finally:
            if self._command is not None:
                await asyncio.wait([self._command])

    def _due(self, _: object) -> bool:
        if self._command is None:
            self._command = asyncio.create_task(self._write())
        return True

    async def _write(self) -> None:
        await asyncio.sleep(0)
        while (taken := self._source.take()) is not None:
            try:
                await self._append(*taken)
            except StoreError:
                self._source.stop()
                return
            self._source.took(taken[0])
        self._command = None
