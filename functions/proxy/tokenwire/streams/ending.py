"""How a stream of this process ends, and the reasons that its viewers are given."""

from __future__ import annotations

from ..events import Error
from ..stores.records import End, EndReason, Meta, RecordId
from .copies import Copy
from .policy import OnDisconnect
from .pump import CANCELLED
from .stream import Stream
from .tail import Tail
from .viewers import ProducerViewers

GOING_AWAY = Error("shutting_down", "The server is shutting down.", retryable=True, status=503)
CONNECTION_EXPIRED = Error(
    "connection_expired",
    "The time limit of this connection was reached. The stream continues: resume after the last"
    " event's id.",
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


def cancellable(meta: Meta, tail: Tail, intake: Tail, policy: OnDisconnect, copy: Copy) -> Stream:
    """Make a stream that runs here, and that its policy cancels when it has no viewer.

    Args:
        meta: Its first record.
        tail: Where viewers read.
        intake: Where the pump writes.
        policy: The policy on disconnects.
        copy: The copy of its log in the store.
    """

    def cancel() -> None:
        end_stream(stream, End(EndReason.CANCELLED, CANCELLED))

    stream = Stream(meta, tail, intake, ProducerViewers(policy, cancel, copy.leased), copy=copy)
    return stream
