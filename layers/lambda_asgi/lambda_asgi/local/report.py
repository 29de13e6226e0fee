"""The lines that Lambda writes around an invocation, in its words."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass


def say(line: str) -> None:
    """Write one line, at once: the function's own lines come between."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@dataclass(slots=True)
class Report:
    """One invocation's account.

    Args:
        request_id: The invocation's.
        memory_mb: The function's limit.
        init_ms: How long its environment took to start, if it did for this one.
    """

    request_id: str
    memory_mb: int
    init_ms: float | None
    _began: float = 0.0

    def start(self) -> None:
        """The function has the event."""
        self._began = time.monotonic()
        say(f"START RequestId: {self.request_id} Version: $LATEST")

    def end(self, used_mb: int | None, failure: str | None) -> None:
        """The answer is whole, or will not be."""
        duration = (time.monotonic() - self._began) * 1000
        # The init phase has been billed since August 2025.
        billed = math.ceil(duration + (self.init_ms or 0))
        fields = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {duration:.2f} ms",
            f"Billed Duration: {billed} ms",
            f"Memory Size: {self.memory_mb} MB",
            f"Max Memory Used: {'unknown' if used_mb is None else f'{used_mb} MB'}",
        ]
        if self.init_ms is not None:
            fields.append(f"Init Duration: {self.init_ms:.2f} ms")
        if failure is not None:
            fields.append(f"Status: error\tError Type: {failure}")
        say(f"END RequestId: {self.request_id}")
        say("\t".join(fields))
