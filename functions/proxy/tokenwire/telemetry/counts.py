"""Counters and histograms of one process, in plain Python.

Counting needs no package, only a scrape does.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from .numbers import Gauge


@dataclass(slots=True)
class Counter:
    """A number that only grows, for each combination of labels.

    Args:
        name: Without ``_total``.
        help: Its description.
        labels: The names of its labels.
    """

    name: str
    help: str
    labels: Sequence[str]
    values: dict[tuple[str, ...], float] = field(default_factory=dict)
    created: dict[tuple[str, ...], float] = field(default_factory=dict)

    def add(self, amount: float, *labels: str) -> None:
        """Add to the number with these values of the labels."""
        self.created.setdefault(labels, time.time())
        self.values[labels] = self.values.get(labels, 0.0) + amount


@dataclass(slots=True)
class Observed:
    """What was observed with one combination of labels.

    Args:
        buckets: The number of values in each bucket; the last is for those above all bounds.
        total: The sum of the values.
        created: Seconds since 1970.
    """

    buckets: list[int]
    total: float = 0.0
    created: float = field(default_factory=time.time)


@dataclass(slots=True)
class Histogram:
    """How many values are at most as large as each bound, for each combination of labels.

    Args:
        name: Without ``_bucket``.
        help: Its description.
        labels: The names of its labels.
        bounds: Ascending; each belongs to its own bucket.
    """

    name: str
    help: str
    labels: Sequence[str]
    bounds: Sequence[float]
    values: dict[tuple[str, ...], Observed] = field(default_factory=dict)

    def observe(self, value: float, *labels: str) -> None:
        """Count one value."""
        observed = self.values.get(labels)
        if observed is None:
            observed = self.values[labels] = Observed([0] * (len(self.bounds) + 1))
        observed.buckets[bisect_left(self.bounds, value)] += 1
        observed.total += value


class ProcessNumbers:
    """As ``Numbers``: those of this process alone."""

    refreshes = False

    def __init__(self) -> None:
        self._counted: list[Counter | Histogram] = []

    def counter(self, name: str, text: str, labels: Sequence[str]) -> Counter:
        """As ``Numbers.counter``."""
        counter = Counter(name, text, labels)
        self._counted.append(counter)
        return counter

    def histogram(
        self, name: str, text: str, labels: Sequence[str], bounds: Sequence[float]
    ) -> Histogram:
        """As ``Numbers.histogram``."""
        histogram = Histogram(name, text, labels, bounds)
        self._counted.append(histogram)
        return histogram

    def refresh(self, gauges: Sequence[Gauge]) -> None:
        """Do nothing: gauges are read at each scrape."""

    def render(self, gauges: Sequence[Gauge]) -> tuple[bytes, str]:
        """As ``Numbers.render``."""
        from .scrape import text_of  # only here: it imports prometheus-client

        return text_of(gauges, self._counted)
