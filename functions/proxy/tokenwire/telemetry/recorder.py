"""Write the record of a finished request: its log line, and its metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from aws_lambda_powertools import Logger

from .emf import Emf
from .metrics import Metrics
from .record import RequestLog, write
from .tracing import Trace, Tracing


@dataclass(frozen=True, slots=True)
class Recorder:
    """Records each request once.

    Args:
        logger: Writes the line.
        metrics: The metrics to scrape.
        emf: Writes metrics on Lambda, where nothing scrapes; None elsewhere.
        tracing: Makes the traces; None if it is off.
    """

    logger: Logger
    metrics: Metrics
    emf: Emf | None = None
    tracing: Tracing | None = None

    def begin(self, method: str, headers: Iterable[tuple[bytes, bytes]]) -> Trace | None:
        """Begin the trace of a request; None if tracing is off."""
        return self.tracing.begin(method, headers) if self.tracing else None

    async def flush(self) -> None:
        """Send what requests have left behind, before the process may freeze."""
        if self.tracing is not None:
            await asyncio.to_thread(self.tracing.flush)

    def record(self, log: RequestLog) -> None:
        """Count the request's own failure, and write its line."""
        if log.own_error:
            self.metrics.failed(log.own_error)
        write(self.logger, log)
        if log.trace is not None:
            log.trace.ended(log)
        if self.emf is not None:
            self.emf.write(log)
