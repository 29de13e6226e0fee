"""Helpers for translating a request from one dialect to another.

No field is dropped silently. A field without a counterpart raises a ``ClientError`` that names
it, unless its value is empty (null, empty, or the default).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import ClientError
from .protocol import JSON

_DATA_URL = re.compile(
    r"data:([\w.+-]+/[\w.+-]+)(?:;[\w=.+-]+)*;base64,([A-Za-z0-9+/=\s]*)", re.ASCII
)


# Error codes that clients act on: Anthropic's SDKs then resend the complete conversation.
_CODES = {"thread": "thread_unsupported_request"}


def refuse(
    param: str,
    why: str = "is not supported by this model's provider",
    code: str | None = None,
) -> ClientError:
    """Return the error for a field that has no counterpart."""
    return ClientError(f"{param} {why}.", code=code or "unsupported_parameter", param=param)


def malformed(param: str, shape: str) -> ClientError:
    """Return the error for a value that does not have the shape its dialect requires."""
    return ClientError(f"{param} must be {shape}.", code="invalid_type", param=param)


def only(body: JSON, known: Iterable[str], at: str = "", silent: JSON | None = None) -> None:
    """Raise an error if the object has a field that is set but not known.

    Args:
        body: The object to check.
        known: Names of the fields that the translator handles.
        at: Path of the object in the request, for the error. Empty for the request itself.
        silent: Values, by field name, that are ignored because they change nothing.

    Raises:
        ClientError: An unknown field is set (``unsupported_parameter``).
    """
    allowed = frozenset(known)
    for name, value in body.items():
        if name in allowed or value in (None, [], {}, ""):
            continue
        if silent is not None and name in silent and value in silent[name]:
            continue
        raise refuse(f"{at}.{name}" if at else name, code=_CODES.get(name))


@dataclass(frozen=True, slots=True)
class Fields:
    """How the translator treats each field of a request.

    Args:
        carried: Fields that the translator reads.
        no_effect: Fields that do not change the answer; ignored whatever their value.
        harmless: Values, by field name, that are ignored because they change nothing.
    """

    carried: Iterable[str]
    no_effect: Iterable[str] = ()
    harmless: Mapping[str, Iterable[object]] = field(default_factory=dict)

    def check(self, body: JSON) -> None:
        """Raise an error if any other field is set.

        Raises:
            ClientError: Such a field is set (``unsupported_parameter``).
        """
        only(body, {*self.carried, *self.no_effect}, silent=dict(self.harmless))


def given(body: JSON, *names: str) -> bool:
    """Return whether a field, or a nested field, has a non-empty value."""
    value: Any = body
    for name in names:
        value = (value or {}).get(name)
    return bool(value)


def set_of(body: JSON, names: Iterable[str]) -> JSON:
    """Return the named fields that are not null."""
    return {name: body[name] for name in names if body.get(name) is not None}


def parts(content: object, at: str) -> list[tuple[str, JSON]]:
    """Return the content's parts, each with its path. A string is one part; null is none."""
    if isinstance(content, list):
        return [(f"{at}[{number}]", part) for number, part in enumerate(content)]
    return [(at, {"type": "text", "text": content})] if content else []


def text_of(part: JSON, at: str) -> str:
    """Return the text of a text part.

    Raises:
        ClientError: The part has another type (``unsupported_parameter``).
    """
    if part["type"] != "text":
        raise refuse(f"{at}.type")
    text: str = part["text"]
    return text


def data_url(url: str) -> tuple[str, str] | None:
    """Return the media type and base64 data of a data URL, or None for any other URL."""
    match = _DATA_URL.fullmatch(url)
    return (match[1], re.sub(r"\s", "", match[2])) if match else None


def web_url(url: str, at: str) -> str:
    """Return the URL if it is https. The provider fetches it; tokenwire never does.

    Raises:
        ClientError: The URL is not https (``invalid_type``).
    """
    if not url.startswith("https://"):
        raise malformed(at, "a base64 data URL or an https URL")
    return url
