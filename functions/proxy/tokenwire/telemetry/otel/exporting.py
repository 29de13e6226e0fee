"""The OpenTelemetry SDK with OTLP exporters, as ``OTEL_…`` variables configure it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from .instruments import Instruments
from .spans import Labels, OpenTelemetry


def tracing(
    version: str,
    providers: Mapping[str, str],
    open_streams: Callable[[], int],
    open_viewers: Callable[[], int],
) -> OpenTelemetry:
    """Return the tracing of an app, which sends in threads once it is started."""
    spans, metrics = OTLPSpanExporter(), OTLPMetricExporter()
    resource = _resource(version)
    tracers = TracerProvider(resource=resource)
    meters = MeterProvider(resource=resource)
    instruments = Instruments(meters.get_meter("tokenwire"), open_streams, open_viewers)

    def export() -> MetricReader:
        # Either constructor starts a thread.
        tracers.add_span_processor(BatchSpanProcessor(spans))
        reader = PeriodicExportingMetricReader(metrics)
        meters.add_metric_reader(reader)
        return reader

    return OpenTelemetry(tracers, meters, instruments, Labels(providers), export)


def _resource(version: str) -> Resource:
    """Return the resource that ``OTEL_…`` variables name; without a name, it is tokenwire."""
    found = Resource.create({SERVICE_VERSION: version})
    if str(found.attributes[SERVICE_NAME]).startswith("unknown_service"):
        return found.merge(Resource({SERVICE_NAME: "tokenwire"}))
    return found
