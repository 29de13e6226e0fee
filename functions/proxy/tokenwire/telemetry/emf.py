"""Metrics for CloudWatch: one line of Embedded Metric Format per request that has any.

On Lambda nothing scrapes, and an environment may be frozen the moment its response has ended,
so the numbers leave with the request. Each request has a Powertools object of its own: the
shared one mixes up concurrent requests.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import sys
from typing import TextIO

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from .codes import BoundedCodes
from .record import RequestLog, StreamRecord

_SERVICE = {"service": "tokenwire"}
# The caller chose this: it is not a failure.
_REQUESTED_ENDS = {"cancelled", "client_disconnected"}


class Emf:
    """Writes the metrics of each request of one function.

    Every line has the dimension ``service``; what is about a stream also ``Provider``, and
    what failed also ``Code``. Each value of a dimension costs money at CloudWatch, so codes
    are bounded.

    Args:
        namespace: Where CloudWatch files the metrics.
        out: Where lines go; standard output, which Lambda reads.
    """

    def __init__(self, namespace: str, out: TextIO | None = None) -> None:
        self._namespace = namespace
        self._out = out
        self._codes = BoundedCodes(32)

    def write(self, record: RequestLog) -> None:
        """Write the line of a finished request; nothing for a request with nothing to count."""
        metrics = EphemeralMetrics(namespace=self._namespace, default_dimensions=_SERVICE)
        if record.stream is not None and record.started:
            _count_stream(metrics, record, record.stream)
        self._count_failure(metrics, record)
        if not metrics.metric_set:
            return
        metrics.add_metadata("request_id", record.request_id)
        line = json.dumps(metrics.serialize_metric_set(), separators=(",", ":"))
        # One write, flushed: a line that is cut, or delayed by a freeze, is not counted.
        out = self._out or sys.stdout
        out.write(line + "\n")
        out.flush()

    def _count_failure(self, metrics: EphemeralMetrics, record: RequestLog) -> None:
        code = record.failure
        if code is None or code in _REQUESTED_ENDS:
            return
        name = "Refusals" if _is_callers(code, record.status) else "Errors"
        metrics.add_metric(name, MetricUnit.Count, 1)
        metrics.add_dimensions(Code=self._codes.bounded(code))


def _count_stream(metrics: EphemeralMetrics, record: RequestLog, stream: StreamRecord) -> None:
    metrics.add_dimensions(Provider=stream.provider)
    metrics.add_metric("Streams", MetricUnit.Count, 1)
    metrics.add_metric("InputTokens", MetricUnit.Count, stream.input_tokens or 0)
    metrics.add_metric("OutputTokens", MetricUnit.Count, stream.output_tokens or 0)
    instants = record.instants
    for name, seconds in (
        ("TimeToFirstContent", instants.first_content),
        ("Duration", instants.end),
    ):
        if seconds is not None:
            metrics.add_metric(name, MetricUnit.Milliseconds, round(seconds * 1000, 1))


def _is_callers(code: str, status: int | None) -> bool:
    """Return whether the request caused the failure, and not this server or a provider."""
    return status is not None and 400 <= status < 500 and not code.startswith("upstream_")
