"""Lambda's limit on a streamed response's bandwidth: a token bucket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

BURST = 6 * 1024 * 1024
"""Bytes of a response that pass at once."""
RATE = 2 * 1024 * 1024
"""Bytes a second after them."""


@dataclass(slots=True)
class Bucket:
    """The bytes that one response may still send at once.

    Args:
        burst: Its size in bytes.
        rate: Bytes a second that flow in.
    """

    burst: float = BURST
    rate: float = RATE
    _level: float | None = None
    _at: float = 0.0

    def take(self, size: int, now: float) -> float:
        """Take ``size`` bytes at the time ``now``; returns the seconds to wait before sending."""
        level = self.burst if self._level is None else self._level
        self._level = min(self.burst, level + (now - self._at) * self.rate) - size
        self._at = now
        return max(0.0, -self._level / self.rate)


@dataclass(slots=True)
class Throttle:
    """Delays a response's bytes as the bucket demands.

    Args:
        clock: Seconds, from anywhere; the event loop's by default.
    """

    bucket: Bucket = field(default_factory=Bucket)
    clock: Callable[[], float] | None = None

    async def wait(self, size: int) -> None:
        """Wait until ``size`` bytes may be sent."""
        now = (self.clock or asyncio.get_running_loop().time)()
        if seconds := self.bucket.take(size, now):
            await asyncio.sleep(seconds)
