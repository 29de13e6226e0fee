"""The memory that one request uses: charged to its caller, and released when it is done."""

from __future__ import annotations

from collections.abc import Callable

from ..errors import ProxyError


class RequestMemory:
    """Bytes charged to one caller, for as long as anything uses them.

    Args:
        charge: Adds a number of bytes to the caller's account (a negative one gives bytes back);
            returns whether they fit.
    """

    def __init__(self, charge: Callable[[int], bool]) -> None:
        self._charge = charge
        self._users = 1
        self.size = 0

    def grow(self, size: int) -> None:
        """Charge more bytes.

        Raises:
            ProxyError: They do not fit (503, ``overloaded``).
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

    def retain(self) -> None:
        """Add a user, who releases too. After the last release the bytes are charged again."""
        if not self._users:
            self._charge(self.size)
        self._users += 1

    def release(self) -> None:
        """Remove one user; without any the bytes are given back."""
        self._users -= 1
        if not self._users:
            self._charge(-self.size)
