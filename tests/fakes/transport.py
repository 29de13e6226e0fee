"""A connection without a network."""

from __future__ import annotations

import asyncio


class Open(asyncio.Transport):
    """A transport that takes everything."""

    def is_closing(self) -> bool:
        """It is open."""
        return False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Take a request."""

    def abort(self) -> None:
        """Nothing: what comes later is not read."""

    def pause_reading(self) -> None:
        """Nothing: little is sent."""

    def resume_reading(self) -> None:
        """Nothing: it was not paused."""
