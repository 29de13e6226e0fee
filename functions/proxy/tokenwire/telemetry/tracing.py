"""The interface of tracing. ``otel`` implements it; without it a request has no trace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .record import RequestLog, StreamRecord, StreamTimes


class Trace(Protocol):
    """The trace of one request. Its methods never raise."""

    @property
    def ids(self) -> tuple[str, str]:
        """The trace's id and the span's, in hexadecimal."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that continue the trace in another process (``traceparent``)."""

    def inference(self, stream_id: str, provider: str, model: str) -> Mapping[str, str]:
        """Begin the span of a stream that this request starts.

        Returns:
            The headers that tell the provider of the trace (``traceparent``).
        """

    def joined(self, stream_id: str, last: str | None) -> None:
        """Note that the request watches a stream, or resumes it after the record ``last``."""

    def cancelled(self, stream_id: str) -> None:
        """Note that the request cancels a stream."""

    def ended(self, log: RequestLog) -> None:
        """End the span of the request."""


class Tracing(Protocol):
    """Makes the traces of an app, and counts its metrics."""

    def start(self) -> None:
        """Start the threads that send what is collected. Not before workers are forked."""

    def begin(self, method: str, headers: Iterable[tuple[bytes, bytes]]) -> Trace:
        """Begin the trace of a request, or continue the one that its headers name."""

    def stream_ended(self, stream: StreamRecord, times: StreamTimes) -> None:
        """End the span of a stream that this process ran."""

    def flush(self) -> None:
        """Send what has been collected. Blocks, for seconds at most."""

    def close(self) -> None:
        """Send what has been collected, and stop. Blocks, for seconds at most."""
