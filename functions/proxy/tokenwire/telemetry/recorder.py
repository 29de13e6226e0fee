"""Write the record of a finished request: its log line, and its metrics."""

from __future__ import annotations

from dataclasses import dataclass

from aws_lambda_powertools import Logger

from .emf import Emf
from .metrics import Metrics
from .record import RequestLog, write


@dataclass(frozen=True, slots=True)
class Recorder:
    """Records each request once.

    Args:
        logger: Writes the line.
        metrics: The metrics to scrape.
        emf: Writes metrics on Lambda, where nothing scrapes; None elsewhere.
    """

    logger: Logger
    metrics: Metrics
    emf: Emf | None = None

    def record(self, log: RequestLog) -> None:
        """Count the request's own failure, and write its line."""
        if log.own_error:
            self.metrics.failed(log.own_error)
        write(self.logger, log)
        if self.emf is not None:
            self.emf.write(log)
