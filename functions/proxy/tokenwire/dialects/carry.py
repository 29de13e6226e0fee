"""From one dialect's request to another's: what is carried over, and what is refused.

Nothing is dropped in silence. A field that has no counterpart is a ``ClientError`` that names
it, unless its value says nothing (null, empty, or the default).
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


# Codes that clients wait for: Anthropic's SDKs then send the whole conversation instead.
_CODES = {"thread": "thread_unsupported_request"}


def refuse(
    param: str,
    why: str = "cannot be carried over to this model's provider",
    code: str | None = None,
) -> ClientError:
    """The error for what has no counterpart."""
    return ClientError(f"{param} {why}.", code=code or "unsupported_parameter", param=param)


def malformed(param: str, shape: str) -> ClientError:
    """The error for what is not of the shape that its own dialect gives it."""
    return ClientError(f"{param} must be {shape}.", code="invalid_type", param=param)


def only(body: JSON, known: Iterable[str], at: str = "", silent: JSON | None = None) -> None:
    """Refuse every field that says something and is not known.

    Args:
        body: The object.
        known: The fields that are carried over.
        at: Where the object stands, for the error.
        silent: Fields, and the values of theirs that change nothing.

    Raises:
        ClientError: There is such a field.
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
    """What becomes of each field of a request when it is translated.

    Args:
        carried: Those that the translator reads.
        no_effect: Those that change no answer, and are left out whatever they say.
        harmless: Values of other fields that change none either.
    """

    carried: Iterable[str]
    no_effect: Iterable[str] = ()
    harmless: Mapping[str, Iterable[object]] = field(default_factory=dict)

    def check(self, body: JSON) -> None:
        """Refuse every other field that says something.

        Raises:
            ClientError: There is one (``unsupported_parameter``).
        """
        only(body, {*self.carried, *self.no_effect}, silent=dict(self.harmless))


def given(body: JSON, *names: str) -> bool:
    """Whether a field, or one inside it, says something."""
    value: Any = body
    for name in names:
        value = (value or {}).get(name)
    return bool(value)


def set_of(body: JSON, names: Iterable[str]) -> JSON:
    """Those of the fields that are not null."""
    return {name: body[name] for name in names if body.get(name) is not None}


def parts(content: object, at: str) -> list[tuple[str, JSON]]:
    """The parts of a checked content, each with its path; a text is one part, and nothing none."""
    if isinstance(content, list):
        return [(f"{at}[{number}]", part) for number, part in enumerate(content)]
    return [(at, {"type": "text", "text": content})] if content else []


def text_of(part: JSON, at: str) -> str:
    """A part's text.

    Raises:
        ClientError: It is not one of text.
    """
    if part["type"] != "text":
        raise refuse(f"{at}.type")
    text: str = part["text"]
    return text


def data_url(url: str) -> tuple[str, str] | None:
    """The media type and the base64 of a data URL; None for any other address."""
    match = _DATA_URL.fullmatch(url)
    return (match[1], re.sub(r"\s", "", match[2])) if match else None


def web_url(url: str, at: str) -> str:
    """An address that the provider may fetch; tokenwire never does.

    Raises:
        ClientError: It is not one of https.
    """
    if not url.startswith("https://"):
        raise malformed(at, "a data URL in base64, or an https address")
    return url
