"""The log of one environment: its own output, and the lines that Lambda writes around it."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass, field

TAIL = 4096
"""Bytes of an invocation's log that ``LogType=Tail`` returns."""


def notice(line: str) -> None:
    """Write one line to stdout at once, so that it stays in order with functions' output."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def now() -> str:
    """The time, as log lines give it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


@dataclass(slots=True)
class Log:
    """Passes an environment's output on to stdout, and keeps the end of it."""

    _tail: bytearray = field(default_factory=bytearray)

    def write(self, data: bytes) -> None:
        """Take bytes of the function's output."""
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        self._keep(data)

    def line(self, text: str) -> None:
        """Write one line of Lambda's own."""
        notice(text)
        self._keep(text.encode() + b"\n")

    def restart(self) -> None:
        """Forget what was kept: another invocation begins."""
        self._tail.clear()

    @property
    def tail(self) -> bytes:
        """The last ``TAIL`` bytes since the restart."""
        return bytes(self._tail)

    def _keep(self, data: bytes) -> None:
        self._tail += data[-TAIL:]
        del self._tail[:-TAIL]


@dataclass(slots=True)
class Report:
    """The START, END and REPORT lines of one invocation.

    Args:
        log: Where they go.
        request_id: The invocation's id.
        memory_mb: The function's memory, in MB.
        init_ms: Duration of the init phase, in the environment's first invocation.
    """

    log: Log
    request_id: str
    memory_mb: int
    init_ms: float | None
    _began: float = 0.0

    def start(self) -> None:
        """Write START; the function gets the event now."""
        self._began = time.monotonic()
        self.log.line(f"START RequestId: {self.request_id} Version: $LATEST")

    def end(self, used_mb: int | None, failure: str | None) -> None:
        """Write END and REPORT; ``failure`` is the type of the error that ended it, if one did."""
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
        self.log.line(f"END RequestId: {self.request_id}")
        self.log.line("\t".join(fields))
