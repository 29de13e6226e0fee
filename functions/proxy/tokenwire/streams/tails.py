"""Make tails within the limits of the process, on the account of their owner."""

from __future__ import annotations

from collections.abc import Callable

from .blocks import Bounds
from .limits import Limits
from .tail import Tail

Account = Callable[[str], Callable[[int], bool]]
"""As ``Retention.account``."""


class Tails:
    """Makes the tails of one process.

    Args:
        limits: How much one stream may hold.
        account: Returns the function that takes the bytes that a tail of one owner holds or
            releases.
    """

    def __init__(self, limits: Limits, account: Account) -> None:
        self._bounds = limits.bounds
        self.account = account

    def new(self, owner: str = "", end_wait: Callable[[], float] = lambda: 0.0) -> Tail:
        """Return a tail for viewers."""
        return Tail(self._bounds, charge=self.account(owner), end_wait=end_wait)

    def intake(self, owner: str) -> Tail:
        """Return a tail for records that are not committed yet: it retains no past."""
        window = self._bounds.window
        return Tail(Bounds(window, window), charge=self.account(owner))
