"""Bound the error codes that metrics have as labels."""

from __future__ import annotations


class BoundedCodes:
    """The first codes that occur, up to a limit. Codes can be a provider's own.

    Args:
        limit: How many different codes are kept.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._codes: set[str] = set()

    def bounded(self, code: str) -> str:
        """Return the code; ``other`` for a new one beyond the limit."""
        if code not in self._codes and len(self._codes) >= self._limit:
            return "other"
        self._codes.add(code)
        return code
