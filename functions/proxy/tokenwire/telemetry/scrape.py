"""The text of a scrape. Only ``/metrics`` imports this module: prometheus-client takes time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from .counts import Counter, Histogram
from .numbers import Gauge


@dataclass(eq=False, slots=True)  # the registry needs its hash
class _Numbers(Collector):
    gauges: Sequence[Gauge]
    counted: Sequence[Counter | Histogram]

    def collect(self) -> Iterator[Metric]:
        for gauge in self.gauges:
            yield GaugeMetricFamily(gauge.name, gauge.help, value=float(gauge.value()))
        for numbers in self.counted:
            yield _counter(numbers) if isinstance(numbers, Counter) else _histogram(numbers)


def text_of(gauges: Sequence[Gauge], counted: Sequence[Counter | Histogram]) -> tuple[bytes, str]:
    """Return the text of a scrape, and its media type."""
    registry = CollectorRegistry()
    registry.register(_Numbers(gauges, counted))
    return generate_latest(registry), CONTENT_TYPE_LATEST


def _counter(counter: Counter) -> Metric:
    family = CounterMetricFamily(counter.name, counter.help, labels=counter.labels)
    for labels, value in counter.values.items():
        family.add_metric(labels, value, created=counter.created[labels])
    return family


def _histogram(histogram: Histogram) -> Metric:
    family = HistogramMetricFamily(histogram.name, histogram.help, labels=histogram.labels)
    bounds = [*(str(float(bound)) for bound in histogram.bounds), "+Inf"]
    for labels, observed in histogram.values.items():
        up_to = [float(count) for count in accumulate(observed.buckets)]
        family.add_metric(labels, list(zip(bounds, up_to, strict=True)), observed.total)
        named = dict(zip(histogram.labels, labels, strict=True))
        family.add_sample(f"{histogram.name}_created", named, observed.created)
    return family
