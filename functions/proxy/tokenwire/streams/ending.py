"""End a stream of this process, and the reasons that its viewers are given."""

from __future__ import annotations

from ..events import Error
from ..stores.records import End, EndReason, RecordId
from .stream import Stream

GOING_AWAY = Error("shutting_down", "The server is shutting down.", retryable=True, status=503)
CONNECTION_EXPIRED = Error(
    "connection_expired",
    "This connection's time is up. The stream goes on: read on from the last event's id.",
    retryable=True,
    status=503,
)


def end_stream(stream: Stream, end: End, at: RecordId | None = None) -> None:
    """End a stream that runs here, and stop its pump.

    Args:
        stream: The stream.
        end: Its end record.
        at: The id of the end, if the store has it already. Viewers then get it at once. Without
            it, an error is shown to viewers without an id: it may never be in the store.
    """
    if at is not None:
        stream.intake.finish(end, at)
        stream.tail.finish(end, at)
    else:
        stream.intake.offer(end)
        if end.reason is EndReason.ERROR and end.error is not None:
            stream.tail.break_off(end.error)
    if stream.task is not None:
        stream.task.cancel()
