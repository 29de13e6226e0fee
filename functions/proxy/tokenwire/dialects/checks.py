"""Checks that no schema can say."""

from __future__ import annotations

from ..errors import ClientError

MAX_NAME = 256
"""Characters of a name that a caller may give: a model's, a chat's."""


def named(name: str, field: str) -> str:
    """The name, if it is short and has nothing in it that is not shown.

    Raises:
        ClientError: It is longer than 256 characters, or has control characters
            (``invalid_value``).
    """
    if len(name) > MAX_NAME or not name.isprintable():
        raise ClientError(
            f"{field} must have at most {MAX_NAME} characters, none of them a control character.",
            code="invalid_value",
            param=field,
        )
    return name
