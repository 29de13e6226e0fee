"""Collect what a request did, for its log line. Nothing reads a summary to decide anything."""

from __future__ import annotations

from time import perf_counter

from ..stores.records import Meta
from ..streams.stream import Stream
from ..streams.viewer import Delivery
from ..telemetry import RequestLog, StreamRecord, StreamTimes


class RequestSummary:
    """The summary of one request: the middleware makes it, use cases add to it.

    Args:
        log: The fields of the log line.
    """

    def __init__(self, log: RequestLog) -> None:
        self.log = log
        self._started = perf_counter()

    def stream_started(self, meta: Meta) -> None:
        """Note that the request starts this stream."""
        self.log.stream = StreamRecord(meta.id, meta.provider, meta.model)
        self.log.started = True

    def stream_found(self, stream: Stream) -> None:
        """Note that the request is about a stream that another one has started."""
        meta = stream.meta
        self.log.stream = StreamRecord(meta.id, meta.provider, meta.model)

    def stream_joined(self, stream: Stream, last: object = None) -> None:
        """Note that the request watches a stream, or resumes it after what it had last."""
        self.stream_found(stream)
        self.log.resumed_from = None if last is None else str(last)
        if self.log.trace is not None:
            self.log.trace.joined(stream.meta.id, self.log.resumed_from)

    def stream_cancelled(self, stream: Stream) -> None:
        """Note that the request cancels this stream."""
        self.stream_found(stream)
        if self.log.trace is not None:
            self.log.trace.cancelled(stream.meta.id)

    def elapsed(self) -> float:
        """Seconds since the request arrived."""
        return perf_counter() - self._started

    def stream_left(self, stream: Stream, delivery: Delivery, *, disconnected: bool) -> None:
        """Note the state of the stream when the request is done with it."""
        log, facts = self.log, stream.facts
        log.disconnected = disconnected
        log.delivered_blocks = delivery.blocks
        log.delivered_bytes = delivery.bytes
        log.instants.first_delivered = self._since(delivery.began)
        log.heartbeats = delivery.heartbeats
        log.stream = stream_record(stream)
        log.instants.first_upstream_byte = self._since(facts.first_upstream_byte)
        log.instants.first_content = self._since(facts.first_content)

    def _since(self, instant: float | None) -> float | None:
        # What happened before this request arrived belongs to the summary of an earlier one.
        if instant is None or instant < self._started:
            return None
        return instant - self._started


def stream_record(stream: Stream) -> StreamRecord:
    """Return what is known of a stream by now."""
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


def stream_times(stream: Stream) -> StreamTimes:
    """Return the times of a stream that has ended."""
    facts = stream.facts
    first, content = facts.first_upstream_byte, facts.first_content
    return StreamTimes(
        duration=(facts.ended or facts.started) - facts.started,
        first_upstream_byte=None if first is None else first - facts.started,
        first_content=None if content is None else content - facts.started,
    )
