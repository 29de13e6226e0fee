"""Metrics of several worker processes: prometheus-client's multiprocess mode.

Each worker writes its numbers to files in a folder of theirs, as it counts; a scrape of any worker
adds up the files of all. The files are named by the number of the worker, not by its process id: a
worker that replaces a dead one continues its counters, so that no counter falls and the
number of files has a limit.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import prometheus_client as prometheus
from prometheus_client import multiprocess, values

from .numbers import Gauge


@dataclass(frozen=True, slots=True)
class _Counter:
    _counter: prometheus.Counter

    def add(self, amount: float, *labels: str) -> None:
        self._counter.labels(*labels).inc(amount)


@dataclass(frozen=True, slots=True)
class _Histogram:
    _histogram: prometheus.Histogram

    def observe(self, value: float, *labels: str) -> None:
        self._histogram.labels(*labels).observe(value)


class WorkerNumbers:
    """As ``Numbers``: those of all workers together. One for each process.

    Args:
        folder: Where the files of this run's workers are.
        worker: The number of this worker.
    """

    refreshes = True

    def __init__(self, folder: Path, worker: int) -> None:
        # prometheus-client finds the folder in the environment, and the class of values here.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        values.ValueClass = values.MultiProcessValue(lambda: worker)  # type: ignore[no-untyped-call]
        self._folder = folder
        self._gauges: dict[str, prometheus.Gauge] = {}

    def counter(self, name: str, text: str, labels: Sequence[str]) -> _Counter:
        """As ``Numbers.counter``."""
        return _Counter(prometheus.Counter(name, text, labels, registry=None))

    def histogram(
        self, name: str, text: str, labels: Sequence[str], bounds: Sequence[float]
    ) -> _Histogram:
        """As ``Numbers.histogram``."""
        made = prometheus.Histogram(name, text, labels, buckets=bounds, registry=None)
        return _Histogram(made)

    def refresh(self, gauges: Sequence[Gauge]) -> None:
        """As ``Numbers.refresh``."""
        for gauge in gauges:
            known = self._gauges.get(gauge.name)
            if known is None:
                known = self._gauges[gauge.name] = _gauge(gauge)
            known.set(gauge.value())

    def render(self, gauges: Sequence[Gauge]) -> tuple[bytes, str]:
        """As ``Numbers.render``. The gauges of other workers are up to a second old."""
        self.refresh(gauges)
        registry = prometheus.CollectorRegistry()
        multiprocess.MultiProcessCollector(registry, str(self._folder))  # type: ignore[no-untyped-call]
        return prometheus.generate_latest(registry), prometheus.CONTENT_TYPE_LATEST


def forget_gauges(folder: Path, worker: int) -> None:
    """Remove the gauges of a worker that has died; its counters stay."""
    multiprocess.mark_process_dead(worker, str(folder))  # type: ignore[no-untyped-call]


def _gauge(gauge: Gauge) -> prometheus.Gauge:
    mode: Literal["livesum", "livemax"] = "livesum" if gauge.sums else "livemax"
    return prometheus.Gauge(gauge.name, gauge.help, multiprocess_mode=mode, registry=None)
