"""Where a returning client says it stopped reading."""

from __future__ import annotations

import re

from starlette.requests import Request

from ..stores.records import Cursor
from ..streams.stream import Stream

_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,4})?")


def cursor_of(request: Request, epoch: int = 1) -> Cursor | None:
    """The cursor in ``Last-Event-ID``, ``?last_event_id=`` or ``?starting_after=``.

    A bare number (``57`` or ``57.1``) is taken as a sequence number of ``epoch``. None where
    there is none.

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
    if _NUMBER.fullmatch(text):
        text = f"{epoch}-{text}"
    return Cursor.parse(text)


def is_finished(stream: Stream, cursor: Cursor | None) -> bool:
    """Whether the stream is over and the client has its end."""
    tail = stream.tail
    if tail.end is None or cursor is None or cursor.part:
        return False
    return cursor.last == tail.last
