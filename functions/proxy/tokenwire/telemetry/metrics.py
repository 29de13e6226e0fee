"""Metrics for Prometheus, in a registry of the app's own."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

from .record import StreamRecord

_FIRST = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)
_MAX_CODES = 64
_DURATIONS = (0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600, 900)


class Metrics:
    """The metrics of one process.

    Args:
        open_streams: Called at each scrape.
        open_viewers: Likewise.
        store_fails: Likewise; whether streams cannot be resumed from other processes.
    """

    def __init__(
        self,
        open_streams: Callable[[], int],
        open_viewers: Callable[[], int],
        store_fails: Callable[[], bool] = lambda: False,
    ) -> None:
        self._registry = registry = CollectorRegistry()
        self._codes: set[str] = set()
        streams = Gauge("tokenwire_open_streams", "Streams running now.", registry=registry)
        streams.set_function(open_streams)
        viewers = Gauge("tokenwire_open_viewers", "Clients reading now.", registry=registry)
        viewers.set_function(open_viewers)
        fails = Gauge(
            "tokenwire_store_failing",
            "1 while the store fails, so that streams live in this process alone.",
            registry=registry,
        )
        fails.set_function(store_fails)
        self._streams = Counter(
            "tokenwire_streams", "Streams ended.", ["provider", "end_reason"], registry=registry
        )
        self._blocks = Counter(
            "tokenwire_blocks", "Event blocks from providers.", ["provider"], registry=registry
        )
        self._tokens = Counter(
            "tokenwire_tokens", "Tokens used.", ["provider", "direction"], registry=registry
        )
        self._errors = Counter(
            "tokenwire_errors", "Requests and streams that failed.", ["code"], registry=registry
        )
        self._first = Histogram(
            "tokenwire_time_to_first_content_seconds",
            "From the request to the first piece of an answer.",
            ["provider"],
            buckets=_FIRST,
            registry=registry,
        )
        self._duration = Histogram(
            "tokenwire_stream_duration_seconds",
            "From the request to the end of its stream.",
            ["provider"],
            buckets=_DURATIONS,
            registry=registry,
        )

    def failed(self, code: str) -> None:
        """Count a failed request or stream. Codes can be a provider's: their number is bounded."""
        if code not in self._codes and len(self._codes) >= _MAX_CODES:
            code = "other"
        self._codes.add(code)
        self._errors.labels(code).inc()

    def ended(self, stream: StreamRecord, first_content: float | None, duration: float) -> None:
        """Count a stream that ended; the times are in seconds since its request."""
        provider = stream.provider
        self._streams.labels(provider, stream.end_reason).inc()
        self._blocks.labels(provider).inc(stream.blocks)
        self._tokens.labels(provider, "input").inc(stream.input_tokens or 0)
        self._tokens.labels(provider, "output").inc(stream.output_tokens or 0)
        self._duration.labels(provider).observe(duration)
        if first_content is not None:
            self._first.labels(provider).observe(first_content)
        if stream.error_code:
            self.failed(stream.error_code)

    def render(self) -> tuple[bytes, str]:
        """Return the text of a scrape, and its media type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
