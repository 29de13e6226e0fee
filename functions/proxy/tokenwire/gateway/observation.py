"""A request as it goes: what its routes see, gathered for its log line."""

from __future__ import annotations

import math
from collections.abc import Callable
from time import perf_counter

from ..stores.records import Cursor, Meta
from ..streams.stream import Stream
from ..streams.viewer import Delivery
from ..telemetry import RequestLog, StreamRecord
from .hold import Hold


class Observation:
    """One request. The middleware makes it, routes tell it, the middleware writes it.

    Args:
        log: What will be written.
        seconds_left: How long a stream that it starts may take; see ``telemetry.function``.
        freezes: Whether the process stands still after the response; likewise.
        function_arn: The function that serves the request; likewise. Empty elsewhere.
    """

    def __init__(
        self,
        log: RequestLog,
        seconds_left: float = math.inf,
        *,
        freezes: bool = False,
        function_arn: str = "",
    ) -> None:
        self.log = log
        self.seconds_left = seconds_left
        self.freezes = freezes
        self.function_arn = function_arn
        self.delivery = Delivery()
        self.hold: Hold | None = None
        self._started = perf_counter()

    def begins(self, meta: Meta) -> None:
        """The request starts this stream."""
        self.log.stream = StreamRecord(meta.id, meta.provider, meta.model)
        self.log.started = True

    def joins(self, stream: Stream, cursor: Cursor | None) -> None:
        """The request watches, resumes or cancels a stream that another one started."""
        meta = stream.meta
        self.log.stream = StreamRecord(meta.id, meta.provider, meta.model)
        self.log.resumed_from = str(cursor.last) if cursor else None

    def delivered(self, size: int) -> None:
        """So many bytes of body have been handed to the server."""
        if self.log.instants.first_delivered is None:
            self.log.instants.first_delivered = self.elapsed()
        self.log.delivered_bytes += size

    def held(self, charge: Callable[[int], bool]) -> Hold:
        """What the request holds, on this account if it holds nothing yet."""
        if self.hold is None:
            self.hold = Hold(charge)
        return self.hold

    def release(self) -> None:
        """The request itself needs its body no longer; a stream that it started may."""
        if self.hold is not None:
            hold, self.hold = self.hold, None
            hold.release()

    def elapsed(self) -> float:
        """Seconds since the request came."""
        return perf_counter() - self._started

    def see(self, stream: Stream, *, disconnected: bool) -> None:
        """The request is done with the stream: take down what became of it."""
        log, facts = self.log, stream.facts
        log.disconnected = disconnected
        log.delivered_blocks = self.delivery.blocks
        log.heartbeats = self.delivery.heartbeats
        log.stream = record_of(stream)
        log.instants.first_upstream_byte = self._since(facts.first_upstream_byte)
        log.instants.first_content = self._since(facts.first_content)

    def _since(self, instant: float | None) -> float | None:
        # A watcher comes after the fact: what was before its request is not its to tell.
        if instant is None or instant < self._started:
            return None
        return instant - self._started


def record_of(stream: Stream) -> StreamRecord:
    """What can be told of a stream by now."""
    meta, facts, end = stream.meta, stream.facts, stream.end
    error = end.error if end is not None else None
    usage = facts.usage
    return StreamRecord(
        id=meta.id,
        provider=meta.provider,
        request_model=meta.model,
        response_model=facts.response_model,
        finish_reasons=facts.finish_reasons,
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        end_reason=end.reason if end else None,
        error_code=error.code if error else None,
        blocks=facts.blocks,
        bytes=facts.bytes,
        kept=stream.copy.complete,
        attempts=[(attempt.model, attempt.error) for attempt in facts.attempts],
    )
