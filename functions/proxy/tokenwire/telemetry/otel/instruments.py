"""The metrics of an app."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation

from ..record import RequestLog, StreamRecord, StreamTimes
from . import names

_SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
_SHORT = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.2, 0.5, 1.0, 2.5)
_TOKENS = tuple(float(4**n) for n in range(14))


class Instruments:
    """Counts requests and streams.

    Args:
        meter: Makes the instruments.
        open_streams: Called at each export.
        open_viewers: Likewise.
    """

    def __init__(
        self, meter: Meter, open_streams: Callable[[], int], open_viewers: Callable[[], int]
    ) -> None:
        self._tokens = _histogram(meter, names.TOKENS, _TOKENS)
        self._client = _histogram(meter, names.CLIENT_DURATION, _SECONDS)
        self._client_first = _histogram(meter, names.CLIENT_FIRST, _SECONDS)
        self._client_chunk = _histogram(meter, names.CLIENT_PER_CHUNK, _SHORT)
        self._server = _histogram(meter, names.SERVER_DURATION, _SECONDS)
        self._server_first = _histogram(meter, names.SERVER_FIRST, _SECONDS)
        self._server_token = _histogram(meter, names.SERVER_PER_TOKEN, _SHORT)
        self._ended = meter.create_counter(*names.ENDED_STREAMS)
        self._resumed = meter.create_counter(*names.RESUMED_STREAMS)
        _gauge(meter, names.OPEN_STREAMS, open_streams)
        _gauge(meter, names.OPEN_VIEWERS, open_viewers)

    def resumed(self) -> None:
        """Count a request that resumes a stream."""
        self._resumed.add(1)

    def request_ended(self, log: RequestLog, labels: dict[str, str]) -> None:
        """Observe the times of a request that started a stream."""
        times, stream = log.instants, log.stream
        _observe(self._server, times.end, labels)
        _observe(self._server_first, times.first_content, labels)
        if stream is not None and times.end is not None and times.first_content is not None:
            rest = (stream.output_tokens or 0) - 1
            _observe(self._server_token, _each(times.end - times.first_content, rest), labels)

    def stream_ended(
        self, stream: StreamRecord, times: StreamTimes, labels: dict[str, str]
    ) -> None:
        """Count a stream and its tokens, and observe its times."""
        self._ended.add(1, {names.END_REASON: str(stream.end_reason), **labels})
        for kind, count in (("input", stream.input_tokens), ("output", stream.output_tokens)):
            if count is not None:
                self._tokens.record(count, {names.TOKEN_TYPE: kind, **labels})
        _observe(self._client, times.duration, labels)
        _observe(self._client_first, times.first_upstream_byte, labels)
        if times.first_content is not None:
            spent = times.duration - times.first_content
            _observe(self._client_chunk, _each(spent, stream.blocks - 1), labels)


def _histogram(meter: Meter, name: tuple[str, str, str], bounds: Sequence[float]) -> Histogram:
    return meter.create_histogram(*name, explicit_bucket_boundaries_advisory=list(bounds))


def _gauge(meter: Meter, name: tuple[str, str, str], value: Callable[[], int]) -> None:
    def observed(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(value())]

    meter.create_observable_up_down_counter(name[0], [observed], *name[1:])


def _observe(histogram: Histogram, value: float | None, labels: dict[str, str]) -> None:
    if value is not None:
        histogram.record(value, labels)


def _each(seconds: float, count: int) -> float | None:
    return seconds / count if count > 0 else None
