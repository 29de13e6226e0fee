"""A function's response as a function URL reads it: status, headers and body.

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

_DELIMITER = b"\0" * 8
MAX_PRELUDE = 64 * 1024

REMAPPED = frozenset(
    {
        "authorization",
        "connection",
        "content-length",
        "date",
        "host",
        "server",
        "www-authenticate",
        "x-amzn-requestid",
        "x-forwarded-for",
    }
)
"""Headers of a function that clients get as ``x-amzn-remapped-…``."""

_NOT_PASSED = frozenset({"transfer-encoding"})


class NotAResponse(ValueError):
    """The function did not return an HTTP response."""


@dataclass(frozen=True, slots=True)
class Head:
    """A response's status and headers."""

    status: int
    headers: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, content: Any, default_type: str) -> Head:
        """Read ``statusCode``, ``headers``, ``multiValueHeaders`` and ``cookies``.

        Args:
            content: JSON from the function.
            default_type: The content type of a response that gives none.

        Raises:
            NotAResponse: It is malformed.
        """
        if not isinstance(content, dict):
            raise NotAResponse("the response is not a JSON object")
        status = content.get("statusCode", 200)
        if not isinstance(status, int) or not 200 <= status <= 599:
            raise NotAResponse("statusCode is not a status")
        try:
            headers = _headers(content)
        except (AttributeError, TypeError):
            raise NotAResponse("headers or cookies are malformed") from None
        if not any(name == "content-type" for name, _ in headers):
            headers.append(("content-type", default_type))
        return cls(status, tuple(headers))


def _headers(content: dict[str, Any]) -> list[tuple[str, str]]:
    given = {name: value for name, value in content.items() if value is not None}
    found = [(name.lower(), str(value)) for name, value in given.get("headers", {}).items()]
    for name, values in given.get("multiValueHeaders", {}).items():
        found += [(name.lower(), str(value)) for value in values]
    found += [("set-cookie", str(value)) for value in given.get("cookies", ())]
    return found


def remapped(headers: tuple[tuple[str, str], ...], *, streamed: bool) -> list[tuple[str, str]]:
    """The headers as clients get them.

    Those that Lambda sets itself get another name. A buffered response's length is computed
    anew, so the function's is dropped.
    """
    dropped = _NOT_PASSED if streamed else _NOT_PASSED | {"content-length"}
    return [
        (f"x-amzn-remapped-{name}" if name in REMAPPED else name, value)
        for name, value in headers
        if name not in dropped
    ]


def parse_buffered(payload: bytes) -> tuple[Head, bytes]:
    """A buffered response. JSON without a ``statusCode`` is the body of a 200.

    Raises:
        NotAResponse: There is a ``statusCode``, and something is malformed.
    """
    json_type = "application/json"
    try:
        content = json.loads(payload)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or "statusCode" not in content:
        return Head(200, (("content-type", json_type),)), payload
    body = content.get("body")
    text = body if isinstance(body, str) else "" if body is None else json.dumps(body)
    try:
        data = (
            base64.b64decode(text, validate=True)
            if content.get("isBase64Encoded")
            else text.encode()
        )
    except ValueError:
        raise NotAResponse("the body is not base64") from None
    return Head.parse(content, json_type), data


@dataclass(slots=True)
class PreludeParser:
    """Finds a streamed response's head before its body; bytes may be cut anywhere."""

    _held: bytearray
    _searched: int = 0

    @classmethod
    def new(cls) -> PreludeParser:
        """A parser for one response."""
        return cls(bytearray())

    def feed(self, data: bytes) -> tuple[Head, bytes] | None:
        """Take the next bytes; the head and the body's first bytes, once the head is complete.

        Raises:
            NotAResponse: It is malformed, or larger than 64 KiB.
        """
        self._held += data
        end = self._held.find(_DELIMITER, max(0, self._searched - len(_DELIMITER) + 1))
        self._searched = len(self._held)
        if end > MAX_PRELUDE or (end < 0 and len(self._held) > MAX_PRELUDE):
            raise NotAResponse("the prelude is too large")
        if end < 0:
            return None
        try:
            content = json.loads(bytes(self._held[:end]))
        except (ValueError, RecursionError):
            raise NotAResponse("the prelude is not JSON") from None
        head = Head.parse(content, "application/octet-stream")
        return head, bytes(self._held[end + len(_DELIMITER) :])
