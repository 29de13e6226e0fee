"""Checks that a schema cannot express."""

from __future__ import annotations

from ..errors import ClientError

MAX_NAME = 256
"""Maximum length, in characters, of a name sent by a caller: a model's, a chat's."""


def valid_name(name: str, field: str) -> str:
    """Return the name if it is short enough and printable.

    Raises:
        ClientError: It is longer than 256 characters, or has control characters
            (``invalid_value``).
    """
    if len(name) > MAX_NAME or not name.isprintable():
        raise ClientError(
            f"{field} must have at most {MAX_NAME} characters and no control characters.",
            code="invalid_value",
            param=field,
        )
    return name
