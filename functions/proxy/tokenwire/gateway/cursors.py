"""Cursors: where a client that returns stopped reading."""

from __future__ import annotations

import re

from ..errors import ClientError
from ..stores.records import Cursor
from ..streams.stream import Stream

_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,4})?")


def parse_cursor(text: str | None, epoch: int = 1) -> Cursor | None:
    """Read a cursor; None where the client has none.

    Args:
        text: An event's id, or a bare number (``57`` or ``57.1``), which is a sequence number.
        epoch: The epoch of a bare number.

    Raises:
        ClientError: It is malformed (400, ``invalid_cursor``).
    """
    if not text:
        return None
    return Cursor.parse(f"{epoch}-{text}" if _NUMBER.fullmatch(text) else text)


def stream_id_of(cursor: Cursor) -> str:
    """Return the id of the stream that a cursor names.

    Raises:
        ClientError: It names none (400, ``invalid_cursor``).
    """
    if cursor.stream is None:
        raise ClientError(
            "The cursor does not name its stream. Send the id of the last event as it came.",
            code="invalid_cursor",
            param="last_event_id",
        )
    return cursor.stream


def is_finished(stream: Stream, cursor: Cursor | None) -> bool:
    """Whether the stream is over and the client has all of it."""
    tail = stream.tail
    if tail.end is None or cursor is None or cursor.part:
        return False
    return cursor.last == tail.last
