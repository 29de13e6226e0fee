"""Where the parts of a translated request come from, so that an error can name the caller's field.

A translator builds its objects with ``made``, which notes the path of each in the request that it
reads. An error about the translated request is then led back, by ``caused_by``, to the nearest
part with a note. Translations in a row are led back one by one.
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
    """A JSON object that knows where it, and some of its fields, come from."""

    __slots__ = ("at", "fields", "is_same")

    def __init__(
        self, value: Mapping[str, Any], at: str, fields: Mapping[str, str], *, is_same: bool
    ) -> None:
        super().__init__(value)
        self.at = at
        self.fields = fields
        self.is_same = is_same


def made(at: str, value: JSON, **fields: str) -> JSON:
    """The object, with a note of its origin.

    Args:
        at: The path of what it was made from. Empty for the request itself, whose fields have
            the same names in both unless ``fields`` says otherwise.
        value: The object. Spread into another it loses the note.
        fields: The paths of what single fields were made from.
    """
    return _Made(value, at, fields, is_same=not at)


def moved(at: str, value: JSON) -> JSON:
    """The object as it was at that path: everything in it has the same name as there."""
    return _Made(value, at, {}, is_same=True)


def origin(body: JSON, param: str) -> str:
    """The path that ``param``, a path in ``body``, came from; the nearest that is noted."""
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
    """Lead the errors about ``body``, a translated request, back to what it was made from.

    Raises:
        ClientError: The one that was raised inside, with the ``param`` of the original request.
    """
    try:
        yield
    except ClientError as error:
        raise _led_back(error, body) from None


def _led_back(error: ClientError, body: JSON) -> ClientError:
    if error.param is None or not isinstance(body, _Made):
        return error
    param = origin(body, error.param)
    # Messages that name their field begin with it.
    rest = error.message.removeprefix(error.param)
    message = error.message if rest == error.message else f"{param}{rest}"
    return ClientError(message, code=error.code, status=error.status, param=param)
