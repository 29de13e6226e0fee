"""Reading what a caller sent, within bounds."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from starlette.requests import ClientDisconnect, Request

from ..errors import ClientError

# Translators and encoders go down into bodies; Python's stack has an end.
_MAX_DEPTH = 128


async def read_json(request: Request, limit: int) -> object:
    """The request's body as JSON.

    Args:
        request: The request; its body must not have been read.
        limit: The largest body to accept, in bytes.

    Raises:
        ClientError: The body is too large (413, ``request_too_large``), is not JSON in UTF-8
            or is nested more than 128 levels deep (400, ``invalid_json``), or did not come whole
            (400, ``client_disconnected``).
    """
    body = await _read(request, limit)
    try:
        decoded: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ClientError(
            "The request body is not valid JSON in UTF-8.", code="invalid_json"
        ) from None
    if body.count(b"[") + body.count(b"{") > _MAX_DEPTH and _depth(decoded) > _MAX_DEPTH:
        raise ClientError(
            f"The request body is nested more than {_MAX_DEPTH} levels deep.", code="invalid_json"
        )
    return decoded


def _depth(value: object) -> int:
    """Levels of lists and objects in one another; stops counting soon after the limit."""
    depth, level = 0, [value]
    while depth <= _MAX_DEPTH:
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            break
        depth += 1
    return depth


def _inside(value: object) -> Iterable[object]:
    """What a list or an object holds; a value that holds nothing counts as well."""
    if isinstance(value, dict):
        return value.values() or (None,)
    return (value or (None,)) if isinstance(value, list) else ()


async def _read(request: Request, limit: int) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit:
                raise _too_large(limit)
    except ClientDisconnect:
        raise ClientError("The request was broken off.", code="client_disconnected") from None
    return bytes(body)


def _too_large(limit: int) -> ClientError:
    return ClientError(
        f"The request body is larger than {limit} bytes.", code="request_too_large", status=413
    )
