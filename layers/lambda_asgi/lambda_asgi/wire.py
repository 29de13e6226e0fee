"""The Lambda Runtime API's own forms: prelude, error bodies, trailers. Sans-IO.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html and runtimes-custom.html
"""

from __future__ import annotations

import json
import re
import traceback
from base64 import b64encode
from collections.abc import Iterable
from typing import Any

VERSION = "/2018-06-01"
STREAM_TYPE = "application/vnd.awslambda.http-integration-response"
ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"
ERROR_BODY = "Lambda-Runtime-Function-Error-Body"
STREAMED = {
    "Lambda-Runtime-Function-Response-Mode": "streaming",
    "Content-Type": STREAM_TYPE,
    "Trailer": f"{ERROR_TYPE}, {ERROR_BODY}",
}
"""The headers of a streamed response."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Of what an app may send only these could end a field (RFC 9110 §5.5); others are obsolete text.
_ENDS_FIELD = str.maketrans("\r\n\0", "   ")

_KNOWN = re.compile(r"(?:Runtime|Function)\.[A-Z][a-zA-Z]{,119}")

MAX_TRAILERS = 3584
"""Bytes. Lambda's HTTP server, Go's, ends the whole environment at trailers of 4 KiB or more."""

_MAX_MESSAGE = 128

# Lambda computes these, or forbids them beside a streamed body.
_NOT_SENT = frozenset({"content-length", "transfer-encoding", "connection"})


def prelude(
    status: int, headers: Iterable[tuple[bytes, bytes]], excluded: frozenset[str] = frozenset()
) -> bytes:
    """The head of a streamed response: JSON, then eight NULs.

    Cookies stand apart, since they cannot be joined; of other headers several values are
    joined with commas (RFC 9110 §5.3), because a function URL takes one string a name.

    Args:
        status: The HTTP status.
        headers: As in ASGI.
        excluded: Names, in lower case, that are left out.
    """
    fields: dict[str, str] = {}
    cookies: list[str] = []
    decoded = ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in headers)
    for name, value in safe_fields(decoded):
        if name in excluded or name in _NOT_SENT:
            continue
        if name == "set-cookie":
            cookies.append(value)
        else:
            fields[name] = f"{fields[name]}, {value}" if name in fields else value
    body: dict[str, Any] = {"statusCode": status, "headers": fields, "cookies": cookies}
    return json.dumps(body, separators=(",", ":")).encode() + b"\0" * 8


def safe_fields(fields: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The header fields as they can be written, one a line.

    CR, LF and NUL in a value become spaces, as in RFC 9110 §5.5; a field whose name is not a
    token is left out. Neither can then begin a field, or a body, of the app's caller's choosing.
    """
    return [
        (name, value.translate(_ENDS_FIELD)) for name, value in fields if _TOKEN.fullmatch(name)
    ]


def forbids_body(status: int, method: str) -> bool:
    """Whether HTTP allows this response no body (RFC 9110 §6.4.1)."""
    return method == "HEAD" or status in (204, 304) or status < 200


def filler(content_type: str) -> bytes:
    """What stands for an empty body: a function URL that is sent no byte at all may hang.

    A comment to an SSE client, to any other a newline: white space to JSON, HTML and text.
    """
    return b":\n\n" if content_type.startswith("text/event-stream") else b"\n"


def error_type(kind: str) -> str:
    """The type as Lambda keeps it: it calls any other form ``Runtime.Unknown``."""
    name = re.sub(r"[^a-zA-Z]", "", kind)
    name = kind if _KNOWN.fullmatch(kind) else f"Function.{name[:1].upper()}{name[1:]}"
    return name if _KNOWN.fullmatch(name) else "Function.Error"


def error_headers(kind: str) -> dict[str, str]:
    """The headers of an error's POST."""
    return {ERROR_TYPE: error_type(kind), "Content-Type": "application/vnd.aws.lambda.error+json"}


def places(error: BaseException) -> list[str]:
    """Where an exception came from, outermost first; nothing of its text."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{f.filename}:{f.lineno} in {f.name}" for f in frames]


def error_body(kind: str, error: BaseException | None, message: str = "") -> bytes:
    """``errorMessage``, ``errorType`` and ``stackTrace``.

    The stack is where, never what: an exception's text may quote a request, so it goes into
    ``errorMessage`` only for errors of our own, given as ``message``.
    """
    return _error_json(kind, error, message, places(error) if error else [])


def trailers(kind: str, error: BaseException | None, message: str = "") -> dict[str, str]:
    """The HTTP trailers that report the failure of a response that has begun; never body text.

    At most ``MAX_TRAILERS`` bytes on the wire: the stack's innermost frames come first, and
    those that do not fit are left out.
    """
    stack = places(error)[::-1] if error else []
    while _trailers_size(found := _trailers(kind, error, message, stack)) > MAX_TRAILERS:
        stack = stack[: len(stack) * 7 // 8]
    return found


def _trailers(
    kind: str, error: BaseException | None, message: str, stack: list[str]
) -> dict[str, str]:
    body = b64encode(_error_json(kind, error, message, stack)).decode()
    return {ERROR_TYPE: error_type(kind), ERROR_BODY: body}


def _trailers_size(fields: dict[str, str]) -> int:
    return sum(len(name) + len(value) + len(": \r\n") for name, value in fields.items())


def _error_json(kind: str, error: BaseException | None, message: str, stack: list[str]) -> bytes:
    text = message or (type(error).__name__ if error else "")
    return json.dumps(
        {"errorMessage": text[:_MAX_MESSAGE], "errorType": error_type(kind), "stackTrace": stack}
    ).encode()
