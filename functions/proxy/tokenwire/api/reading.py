"""Reading what a caller sent, within bounds."""

from __future__ import annotations

import msgspec
from starlette.requests import ClientDisconnect, Request

from ..errors import ClientError


async def read_json(request: Request, limit: int) -> object:
    """The request's body as JSON.

    Args:
        request: The request; its body must not have been read.
        limit: The largest body to accept, in bytes.

    Raises:
        ClientError: The body is too large (413, ``request_too_large``), is not JSON
            (400, ``invalid_json``), or did not come whole (400, ``client_disconnected``).
    """
    body = await _read(request, limit)
    try:
        decoded: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        raise ClientError("The request body is not valid JSON.", code="invalid_json") from None
    return decoded


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
