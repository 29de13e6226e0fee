"""Read a request body, within bounds of size, time and memory."""

from __future__ import annotations

import asyncio
import re

import msgspec
from starlette.requests import ClientDisconnect, Request

from ..dialects.depth import MAX_DEPTH, without_strings
from ..errors import ClientError
from ..gateway.memory import RequestMemory
from ..settings import Settings

VALUE_COST = 100
"""Bytes that CPython needs for a JSON value, about: an empty object takes 64, its list slot 8."""

_LENGTH = re.compile(r"[0-9]+", re.ASCII)


async def read_json(request: Request, settings: Settings, memory: RequestMemory) -> object:
    """Read the request body as JSON.

    Args:
        request: The request; its body must not have been read.
        settings: The limits of a body.
        memory: Charged with the memory that the body takes.

    Raises:
        ClientError: The body is too large or has too many values (413, ``request_too_large``),
            is not JSON in UTF-8 or is nested more than 128 levels deep (400,
            ``invalid_json``), is incomplete because the client left (400,
            ``client_disconnected``), or did not arrive in time (408, ``request_timeout``).
        ProxyError: The body does not fit in memory (503, ``overloaded``).
    """
    try:
        async with asyncio.timeout(settings.timeout_body):
            body = await _read(request, settings.max_body_bytes, memory)
    except TimeoutError:
        raise ClientError(
            "The request body did not arrive in time.", code="request_timeout", status=408
        ) from None
    memory.grow(VALUE_COST * _checked_count(body, settings.max_body_values))
    return _decode(body)


def _decode(body: bytes) -> object:
    try:
        decoded: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ClientError(
            "The request body is not valid JSON in UTF-8.", code="invalid_json"
        ) from None
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _is_deep(decoded):
        raise ClientError(
            f"The request body is nested more than {MAX_DEPTH} levels deep.", code="invalid_json"
        )
    return decoded


def _is_deep(value: object) -> bool:
    """Whether lists and objects are nested beyond the limit. Does not recurse.

    For the texts of a conversation this takes a tenth of the time of ``depth.is_deep``, which
    reads them.
    """
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _containers(outer)]
        if not level:
            return False
    return True


def _containers(value: object) -> list[object]:
    """Return the lists and objects that are direct members of a list or an object."""
    if isinstance(value, dict):
        return [inner for inner in value.values() if isinstance(inner, dict | list)]
    if isinstance(value, list):
        return [inner for inner in value if isinstance(inner, dict | list)]
    return []


async def _read(request: Request, limit: int, memory: RequestMemory) -> bytes:
    declared = request.headers.get("content-length", "")
    if _LENGTH.fullmatch(declared) and (len(declared) > 18 or int(declared) > limit):
        raise _too_large(limit)
    body = bytearray()
    try:
        async for chunk in request.stream():
            if len(body) + len(chunk) > limit:
                raise _too_large(limit)
            memory.grow(len(chunk))
            body += chunk
    except ClientDisconnect:
        raise ClientError(
            "The client disconnected before the request body was complete.",
            code="client_disconnected",
        ) from None
    return bytes(body)


def _checked_count(body: bytes, limit: int) -> int:
    """Return an upper bound on the number of values in the JSON.

    Punctuation inside strings is counted too, unless that exceeds the limit: then it is left out.

    Raises:
        ClientError: There are more than ``limit``.
    """
    count = _punctuation(body)
    if count > limit:
        count = _punctuation(without_strings(body))
    if count > limit:
        raise ClientError(
            f"The request body has more than {limit} values.", code="request_too_large", status=413
        )
    return count


def _punctuation(body: bytes) -> int:
    return body.count(b",") + body.count(b"{") + body.count(b"[")


def _too_large(limit: int) -> ClientError:
    return ClientError(
        f"The request body is larger than {limit} bytes.", code="request_too_large", status=413
    )
