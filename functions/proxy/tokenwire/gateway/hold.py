"""What one request holds of the process's memory: charged as it comes, released as it goes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..errors import ProxyError


class Hold:
    """Bytes on the account of one caller, for as long as somebody uses them.

    Args:
        charge: Adds to the account, in bytes; answers whether there is room.
    """

    def __init__(self, charge: Callable[[int], bool]) -> None:
        self._charge = charge
        self._users = 1
        self.size = 0

    def grow(self, size: int) -> None:
        """Charge so many bytes more.

        Raises:
            ProxyError: There is no room for them (503, ``overloaded``).
        """
        self.size += size
        if not self._charge(size):
            raise ProxyError(
                "The server has no memory left for requests.",
                code="overloaded",
                status=503,
                retryable=True,
                retry_after=1.0,
            )

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Keep the bytes charged while the context lasts, also after the first user's release."""
        if not self._users:
            self._charge(self.size)
        self._users += 1
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        """One user less; the last one gives the bytes back."""
        self._users -= 1
        if not self._users:
            self._charge(-self.size)
