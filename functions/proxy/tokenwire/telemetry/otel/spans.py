"""Spans: one for each request (kind SERVER), one for each stream that it starts (kind CLIENT).

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from ..record import RequestLog, StreamRecord, StreamTimes, plain_name
from . import names
from .instruments import Instruments

_MAX_STREAMS = 20_000
_FLUSH_MS = 2000
_PROPAGATOR = TraceContextTextMapPropagator()
_CARRIED = {b"traceparent", b"tracestate"}


@dataclass(slots=True)
class _Stream:
    """The span of a running stream, and how many clients have watched it."""

    span: Span
    viewers: int = 1


@dataclass(frozen=True, slots=True)
class Labels:
    """The attributes of a stream that its span and all metrics have.

    Args:
        providers: The conventional name of each provider that has one, by our name.
    """

    providers: Mapping[str, str]

    def of(self, provider: str, model: str, error: str | None = None) -> dict[str, str]:
        """Return the attributes; ``error`` is the code of a failure."""
        labels = {
            names.OPERATION: "chat",
            names.PROVIDER: self.providers.get(provider, provider),
            names.REQUEST_MODEL: plain_name(model) or "",
        }
        if error_type := plain_name(error):
            labels[names.ERROR_TYPE] = error_type
        return labels


class OpenTelemetry:
    """The traces and metrics of one app.

    Args:
        tracers: Makes spans, and exports them once ``export`` was called.
        meters: Makes the metrics.
        instruments: The metrics.
        labels: Attributes of spans and metrics.
        export: Starts to send both; returns the reader of the metrics, since ``meters``
            neither flushes nor stops a reader that is added later.
    """

    def __init__(
        self,
        tracers: TracerProvider,
        meters: MeterProvider,
        instruments: Instruments,
        labels: Labels,
        export: Callable[[], MetricReader],
    ) -> None:
        self._tracers = tracers
        self._meters = meters
        self._instruments = instruments
        self._labels = labels
        self._tracer = tracers.get_tracer("tokenwire")
        self._running: OrderedDict[str, _Stream] = OrderedDict()
        self._export = export
        self._readers: list[MetricReader] = []

    def start(self) -> None:
        """As ``Tracing``."""
        self._readers.append(self._export())

    def begin(self, method: str, headers: Iterable[tuple[bytes, bytes]]) -> RequestSpan:
        """As ``Tracing``."""
        carrier = {k.decode(): v.decode("latin-1") for k, v in headers if k in _CARRIED}
        parent = _PROPAGATOR.extract(carrier)
        span = self._tracer.start_span(method, parent, SpanKind.SERVER)
        return RequestSpan(span, self._tracer, self._running, self._instruments, self._labels)

    def stream_ended(self, stream: StreamRecord, times: StreamTimes) -> None:
        """As ``Tracing``."""
        labels = self._labels.of(stream.provider, stream.request_model, stream.error_code)
        self._instruments.stream_ended(stream, times, labels)
        running = self._running.pop(stream.id, None)
        if running is not None:
            _end_stream(running, stream, times)

    def flush(self) -> None:
        """As ``Tracing``."""
        self._tracers.force_flush(_FLUSH_MS)
        for reader in self._readers:
            reader.force_flush(_FLUSH_MS)

    def close(self) -> None:
        """As ``Tracing``."""
        self._tracers.shutdown()
        for reader in self._readers:
            reader.shutdown()
        self._meters.shutdown()


@dataclass(frozen=True, slots=True)
class RequestSpan:
    """The span of one request."""

    span: Span
    tracer: Tracer
    running: OrderedDict[str, _Stream]
    instruments: Instruments
    labels: Labels

    @property
    def ids(self) -> tuple[str, str]:
        """As ``Trace``."""
        context = self.span.get_span_context()
        return f"{context.trace_id:032x}", f"{context.span_id:016x}"

    @property
    def headers(self) -> Mapping[str, str]:
        """As ``Trace``."""
        return _headers(self.span)

    def inference(self, stream_id: str, provider: str, model: str) -> Mapping[str, str]:
        """As ``Trace``."""
        given: dict[str, AttributeValue] = {
            **self.labels.of(provider, model),
            names.REQUEST_STREAM: True,
            names.STREAM_ID: stream_id,
        }
        parent = set_span_in_context(self.span)
        span = self.tracer.start_span(f"chat {plain_name(model)}", parent, SpanKind.CLIENT, given)
        self.running[stream_id] = _Stream(span)
        while len(self.running) > _MAX_STREAMS:
            self.running.popitem(last=False)[1].span.end()
        return _headers(span)

    def joined(self, stream_id: str, last: str | None) -> None:
        """As ``Trace``."""
        if last is not None:
            self.instruments.resumed()
        found = self.running.get(stream_id)
        if found is not None:
            found.viewers += 1
            given = {} if last is None else {names.RESUMED_FROM: last}
            found.span.add_event(names.WATCHED if last is None else names.RESUMED, given)
            self.span.add_link(found.span.get_span_context())

    def cancelled(self, stream_id: str) -> None:
        """As ``Trace``."""
        if found := self.running.get(stream_id):
            found.span.add_event(names.CANCELLED)
            self.span.add_link(found.span.get_span_context())

    def ended(self, log: RequestLog) -> None:
        """As ``Trace``."""
        self.span.update_name(f"{log.method} {log.route}" if log.route else log.method)
        self.span.set_attributes(_of_request(log))
        if log.failure or (log.status or 500) >= 500:
            self.span.set_status(StatusCode.ERROR)
        self.span.end()
        if log.started and log.stream is not None:
            labels = self.labels.of(log.stream.provider, log.stream.request_model, log.failure)
            self.instruments.request_ended(log, labels)


def _headers(span: Span) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    _PROPAGATOR.inject(headers, set_span_in_context(span))
    return headers


def _of_request(log: RequestLog) -> dict[str, AttributeValue]:
    given: dict[str, AttributeValue | None] = {
        names.METHOD: log.method,
        names.ROUTE: log.route,
        names.STATUS: log.status,
        names.REQUEST_ID: log.request_id,
        names.CALLER: log.caller,
        names.DIALECT: log.dialect,
        names.ERROR_TYPE: log.failure,
        names.STREAM_ID: log.stream.id if log.stream else None,
        names.RESUMED_FROM: log.resumed_from,
        names.DELIVERED_BLOCKS: log.delivered_blocks,
        names.DELIVERED_BYTES: log.delivered_bytes,
        names.DISCONNECTED: log.disconnected,
    }
    return _known(given)


def _end_stream(running: _Stream, stream: StreamRecord, times: StreamTimes) -> None:
    span = running.span
    for model, error in stream.attempts:
        tried = {names.REQUEST_MODEL: plain_name(model), names.ERROR_TYPE: plain_name(error)}
        span.add_event(names.ATTEMPT, _known(tried))
    given: dict[str, AttributeValue | None] = {
        names.RESPONSE_MODEL: plain_name(stream.response_model),
        names.FINISH_REASONS: [plain_name(one) or "" for one in stream.finish_reasons],
        names.FIRST_CHUNK: times.first_upstream_byte,
        names.INPUT_TOKENS: stream.input_tokens,
        names.OUTPUT_TOKENS: stream.output_tokens,
        names.END_REASON: stream.end_reason,
        names.ERROR_TYPE: plain_name(stream.error_code),
        names.BLOCKS: stream.blocks,
        names.VIEWERS: running.viewers,
    }
    span.set_attributes(_known(given))
    if stream.error_code and stream.end_reason != "cancelled":
        span.set_status(StatusCode.ERROR)
    span.end()


def _known(given: Mapping[str, AttributeValue | None]) -> dict[str, AttributeValue]:
    return {name: value for name, value in given.items() if value is not None}
