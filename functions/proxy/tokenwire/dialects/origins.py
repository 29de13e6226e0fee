"""Origins of the parts of a translated request, so that an error can name the caller's field.

A translator builds each object with ``made``, which records the path of its source in the original
request. ``caused_by`` then replaces the path in an error about the translated request by the path
of the nearest recorded source. For successive translations the paths are replaced step by step.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..errors import ClientError
from .protocol import JSON

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class _Made(dict[str, Any]):
    """A JSON object that records the source of itself and of some of its fields."""

    __slots__ = ("at", "fields", "is_same")

    def __init__(
        self, value: Mapping[str, Any], at: str, fields: Mapping[str, str], *, is_same: bool
    ) -> None:
        super().__init__(value)
        self.at = at
        self.fields = fields
        self.is_same = is_same


def made(at: str, value: JSON, **fields: str) -> JSON:
    """Return the object with a record of its source.

    Args:
        at: The path of its source. Empty for the request itself, whose fields have the same names
            in both requests except for those in ``fields``.
        value: The object. Copying it into another loses the record.
        fields: The paths of the sources of individual fields.
    """
    return _Made(value, at, fields, is_same=not at)


def moved(at: str, value: JSON) -> JSON:
    """Return an object that was copied from that path: its fields have the same names there."""
    return _Made(value, at, {}, is_same=True)


def origin(body: JSON, param: str) -> str:
    """Return the source of ``param``, a path in ``body``, or of its nearest recorded parent."""
    found, value, is_same = "", body, True
    for match in _STEP.finditer(param):
        name, number = match.groups()
        if isinstance(value, _Made) and name in value.fields:
            found, is_same = value.fields[name], False
        elif is_same:
            found = f"{found}{match[0]}" if number or not found else f"{found}.{name}"
        value = _step(value, name, number)
        if isinstance(value, _Made):
            found, is_same = value.at, value.is_same
    return found


def _step(value: Any, name: str | None, number: str | None) -> Any:
    if name is not None:
        return value.get(name) if isinstance(value, dict) else None
    index = int(number or 0)
    return value[index] if isinstance(value, list) and index < len(value) else None


@contextmanager
def caused_by(body: JSON) -> Iterator[None]:
    """Report errors about ``body``, a translated request, under the original paths.

    Raises:
        ClientError: The error raised inside, with the ``param`` of the original request.
    """
    try:
        yield
    except ClientError as error:
        raise _with_original_param(error, body) from None


def _with_original_param(error: ClientError, body: JSON) -> ClientError:
    if error.param is None or not isinstance(body, _Made):
        return error
    param = origin(body, error.param)
    # A message that names its field starts with the name.
    rest = error.message.removeprefix(error.param)
    message = error.message if rest == error.message else f"{param}{rest}"
    return ClientError(message, code=error.code, status=error.status, param=param)
