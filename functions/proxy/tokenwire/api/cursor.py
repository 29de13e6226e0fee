"""Where a returning client says it stopped reading."""

from __future__ import annotations

from starlette.requests import Request

from ..streams.log import Cursor, RecordId
from ..streams.stream import Stream


def cursor_of(request: Request, epoch: int = 1) -> Cursor | None:
    """The cursor in ``Last-Event-ID``, ``?last_event_id=`` or ``?starting_after=``.

    A bare number is taken as a sequence number of ``epoch``. None where there is none.

    Raises:
        ClientError: It is malformed (400, ``invalid_cursor``).
    """
    query = request.query_params
    text = (
        request.headers.get("last-event-id")
        or query.get("last_event_id")
        or query.get("starting_after")
    )
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 12:
        return Cursor(RecordId(epoch, int(text)))
    return Cursor.parse(text)


def is_finished(stream: Stream, cursor: Cursor | None) -> bool:
    """Whether the stream is over and the client has its end."""
    tail = stream.tail
    return tail.end is not None and cursor is not None and cursor.last == tail.last
