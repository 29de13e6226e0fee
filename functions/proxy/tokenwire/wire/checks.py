"""Checks on a request body, each with an error that names the field."""

from __future__ import annotations

from typing import Any, TypeVar

from ..errors import ClientError
from .protocol import JSON

T = TypeVar("T")
MAX_NAME = 256
"""Characters of a name that a caller may give: a model's, a chat's."""
ROLES = frozenset({"system", "developer", "user", "assistant", "tool", "function"})


def an_object(raw: object) -> JSON:
    """The body, if it is a JSON object.

    Raises:
        ClientError: It is something else (``invalid_type``).
    """
    if not isinstance(raw, dict):
        raise ClientError("The request body must be a JSON object.", code="invalid_type")
    return raw


def required(body: JSON, field: str) -> Any:
    """The field's value.

    Raises:
        ClientError: It is not there (``missing_required_parameter``).
    """
    if body.get(field) is None:
        raise ClientError(f"{field} is required.", code="missing_required_parameter", param=field)
    return body[field]


def typed(value: object, kind: type[T], field: str, name: str) -> T:
    """The value, if it is of this type (a bool is not a number).

    Raises:
        ClientError: It is of another (``invalid_type``).
    """
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ClientError(f"{field} must be {name}.", code="invalid_type", param=field)
    return value


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


def messages(value: object) -> list[JSON]:
    """A non-empty list of messages, each with a role we know.

    Raises:
        ClientError: It is not one; ``param`` names the place, such as ``messages[0].role``.
    """
    found = typed(value, list, "messages", "a list of messages")
    if not found:
        raise empty("messages")
    for number, message in enumerate(found):
        at = f"messages[{number}]"
        _role(typed(message, dict, at, "an object").get("role"), f"{at}.role")
    return found


def empty(field: str) -> ClientError:
    """The error for a list that must not be empty."""
    return ClientError(f"{field} is empty.", code="invalid_value", param=field)


def _role(role: object, at: str) -> None:
    if role is not None:
        typed(role, str, at, "a string")
    if role not in ROLES:
        names = ", ".join(sorted(ROLES))
        raise ClientError(f"{at} must be one of {names}.", code="invalid_value", param=at)
