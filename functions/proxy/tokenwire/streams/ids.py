"""Ids of streams that clients send."""

from __future__ import annotations

import re

from ..errors import ClientError

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def check_id(stream_id: str) -> None:
    """Refuse a text that cannot be an id. A store would refuse it as a key, and count as failing.

    Raises:
        ClientError: As ``not_found``.
    """
    if not _ID.fullmatch(stream_id):
        raise not_found()


def not_found() -> ClientError:
    """Return the error for a stream that is not known, or is another caller's."""
    return ClientError("There is no such stream.", code="stream_not_found", status=404)
