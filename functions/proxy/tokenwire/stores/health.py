"""Whether the store works: logged when that changes, and counted."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from ..clock import monotonic
from .exceptions import StoreError
from .slots import Slots

_QUIET = 30.0
"""Seconds between two warnings: a store that throttles fails and works alternately."""
_SLOTS = 4
"""Streams that are over and are looked after at once: few, of the requests that may be on their way
(``redis/server`` and ``dynamodb/table`` bound them)."""
_log = logging.getLogger("tokenwire.store")


class Health:
    """The state of the store, as one process knows it.

    ``newest`` is the token of the producer here whose end the store took last. ``slots`` are for
    those that look after streams that are over.
    """

    def __init__(self) -> None:
        self.failures = 0
        self.failing = ""
        self.newest = ""
        self.slots = Slots(_SLOTS)
        self._warned = -_QUIET
        self._has_warned = False
        self._trouble = asyncio.Event()

    async def trouble(self, seconds: float) -> bool:
        """Wait up to ``seconds`` until the store may have lost records; return whether it may."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._trouble.wait()
                return True
        return False

    def lost(self) -> None:
        """Note that the store has lost records: wake the tasks that wait for ``trouble``."""
        self._trouble.set()
        self._trouble = asyncio.Event()

    def failed(self, error: StoreError) -> None:
        """Note that a request has failed."""
        self.failures += 1
        if not self.failing and monotonic() - self._warned >= _QUIET:
            self._warned, self._has_warned = monotonic(), True
            _log.warning(
                "the store is failing; streams cannot be resumed in other processes: %s", error
            )
        self.failing = str(error)

    def worked(self) -> None:
        """Note that a request has succeeded."""
        if self.failing:
            self.lost()  # perhaps: it may be another server by now, or an older state
        if self.failing and self._has_warned:
            self._has_warned = False
            _log.warning("the store is working again")
        self.failing = ""
