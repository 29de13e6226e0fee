"""Whether the store does what it is asked; said once when that changes, and counted."""

from __future__ import annotations

import logging

from .store import StoreError

_log = logging.getLogger("tokenwire.store")


class Health:
    """What one process knows of its store."""

    def __init__(self) -> None:
        self.failures = 0
        self.failing = ""

    def failed(self, error: StoreError) -> None:
        """It did not."""
        self.failures += 1
        if not self.failing:
            _log.warning("the store fails, and streams cannot be resumed elsewhere: %s", error)
        self.failing = str(error)

    def worked(self) -> None:
        """It did."""
        if self.failing:
            _log.warning("the store works again")
        self.failing = ""
