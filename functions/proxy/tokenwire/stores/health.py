"""Whether the store does what it is asked; said once when that changes, and counted."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from ..clock import monotonic
from .contract import StoreError
from .turns import Turns

_QUIET = 30.0
"""Seconds between two complaints: a store that throttles fails and works by turns."""
_TURNS = 4
"""Streams that are over and are looked after at once: few, of the requests that may be on their way
(``redis/server`` and ``dynamodb/table`` bound them)."""
_log = logging.getLogger("tokenwire.store")


class Health:
    """What one process knows of its store.

    ``newest`` is the token of the producer here whose end the store took last. ``turns`` are for
    those that look after streams that are over.
    """

    def __init__(self) -> None:
        self.failures = 0
        self.failing = ""
        self.newest = ""
        self.turns = Turns(_TURNS)
        self._complained = -_QUIET
        self._has_complained = False
        self._trouble = asyncio.Event()

    async def trouble(self, seconds: float) -> bool:
        """Wait until the store may have lost something, for so long at most; whether it may."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._trouble.wait()
                return True
        return False

    def lost(self) -> None:
        """It has lost something: wake those that wait for ``trouble``."""
        self._trouble.set()
        self._trouble = asyncio.Event()

    def failed(self, error: StoreError) -> None:
        """It did not."""
        self.failures += 1
        if not self.failing and monotonic() - self._complained >= _QUIET:
            self._complained, self._has_complained = monotonic(), True
            _log.warning("the store fails, and streams cannot be resumed elsewhere: %s", error)
        self.failing = str(error)

    def worked(self) -> None:
        """It did."""
        if self.failing:
            self.lost()  # perhaps: it may be another server by now, or an older state
        if self.failing and self._has_complained:
            self._has_complained = False
            _log.warning("the store works again")
        self.failing = ""
