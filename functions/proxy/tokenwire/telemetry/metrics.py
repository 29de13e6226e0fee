"""Metrics for Prometheus: the numbers of one app."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from .codes import BoundedCodes
from .counts import ProcessNumbers
from .numbers import Gauge, Numbers
from .record import StreamRecord

_FIRST = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)
_REFRESH = 1.0
"""Seconds for which a gauge of another process may be old."""
_DURATIONS = (0.5, 1, 2.5, 5, 10, 20, 40, 60, 120, 300, 600, 900)


class Metrics:
    """The metrics of one app.

    Args:
        open_streams: Called at each scrape.
        open_viewers: Likewise.
        store_fails: Likewise; whether streams cannot be resumed from other processes.
        numbers: Where they are counted: by default in this process alone.
    """

    def __init__(
        self,
        open_streams: Callable[[], int],
        open_viewers: Callable[[], int],
        store_fails: Callable[[], bool] = lambda: False,
        numbers: Numbers | None = None,
    ) -> None:
        self._numbers = numbers = numbers or ProcessNumbers()
        self._gauges = (
            Gauge("tokenwire_open_streams", "Streams running now.", open_streams),
            Gauge("tokenwire_open_viewers", "Clients reading now.", open_viewers),
            Gauge(
                "tokenwire_store_failing",
                "1 while the store fails, so that streams live in this process alone.",
                store_fails,
                sums=False,
            ),
        )
        self._codes = BoundedCodes(64)
        count = numbers.counter
        self._streams = count("tokenwire_streams", "Streams ended.", ["provider", "end_reason"])
        self._blocks = count("tokenwire_blocks", "Event blocks from providers.", ["provider"])
        self._tokens = count("tokenwire_tokens", "Tokens used.", ["provider", "direction"])
        self._errors = count("tokenwire_errors", "Requests and streams that failed.", ["code"])
        self._first = numbers.histogram(
            "tokenwire_time_to_first_content_seconds",
            "From the request to the first piece of an answer.",
            ["provider"],
            _FIRST,
        )
        self._duration = numbers.histogram(
            "tokenwire_stream_duration_seconds",
            "From the request to the end of its stream.",
            ["provider"],
            _DURATIONS,
        )

    def failed(self, code: str) -> None:
        """Count a failed request or stream. Codes can be a provider's: their number is bounded."""
        self._errors.add(1, self._codes.bounded(code))

    def ended(self, stream: StreamRecord, first_content: float | None, duration: float) -> None:
        """Count a stream that ended; the times are in seconds since its request."""
        provider = stream.provider
        self._streams.add(1, provider, str(stream.end_reason))
        self._blocks.add(stream.blocks, provider)
        self._tokens.add(stream.input_tokens or 0, provider, "input")
        self._tokens.add(stream.output_tokens or 0, provider, "output")
        self._duration.observe(duration, provider)
        if first_content is not None:
            self._first.observe(first_content, provider)
        if stream.error_code:
            self.failed(stream.error_code)

    async def keep_current(self) -> None:
        """Publish the gauges every second, where other processes read them; until cancelled."""
        while self._numbers.refreshes:
            self._numbers.refresh(self._gauges)
            await asyncio.sleep(_REFRESH)

    def render(self) -> tuple[bytes, str]:
        """Return the text of a scrape, and its media type."""
        return self._numbers.render(self._gauges)
