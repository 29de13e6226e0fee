"""Where the numbers of the metrics are kept: in one process, or for several together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number that is read at each scrape.

    Args:
        name: Of the metric.
        help: Its description.
        value: Returns it.
        sums: Whether the value of several processes is their sum; otherwise it is the largest.
    """

    name: str
    help: str
    value: Callable[[], float]
    sums: bool = True


class Adds(Protocol):
    """A counter."""

    def add(self, amount: float, *labels: str) -> None:
        """Add to the number with these values of the labels."""


class Observes(Protocol):
    """A histogram."""

    def observe(self, value: float, *labels: str) -> None:
        """Count one value."""


class Numbers(Protocol):
    """Makes counters and histograms, and renders them."""

    @property
    def refreshes(self) -> bool:
        """Whether gauges have to be published for other processes."""

    def counter(self, name: str, text: str, labels: Sequence[str]) -> Adds:
        """Make a counter; its name is without ``_total``."""

    def histogram(
        self, name: str, text: str, labels: Sequence[str], bounds: Sequence[float]
    ) -> Observes:
        """Make a histogram; its bounds are ascending."""

    def refresh(self, gauges: Sequence[Gauge]) -> None:
        """Publish the present values of the gauges."""

    def render(self, gauges: Sequence[Gauge]) -> tuple[bytes, str]:
        """Return the text of a scrape, and its media type."""
