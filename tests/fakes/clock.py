"""A clock that the test advances."""

from __future__ import annotations


class Clock:
    """Seconds, as the test sets them."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the present time."""
        return self.now
