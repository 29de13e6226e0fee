"""Recognise JSON documents among response bodies that should be event streams.

Some servers answer with one JSON document although the request asks for a stream.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from ..errors import UpstreamError

MAX_DOCUMENT = 960 * 1024
"""Maximum size of such a document, in bytes. As one block, it must be below the block limit."""
_SPACE = b"\xef\xbb\xbf \t\r\n"
_MAX_SPACE = 1024


async def as_stream(
    body: AsyncIterator[bytes], convert: Callable[[bytes], bytes]
) -> AsyncIterator[bytes]:
    """Yield the body unchanged, or a JSON document converted to the blocks of a stream.

    Args:
        body: The provider's response body.
        convert: Converts a document to blocks. Raises UpstreamError if it is not a response.

    Raises:
        UpstreamError: The document is too large, or not a response (``upstream_malformed``).
    """
    found, head = await read_document(body)
    if found is not None:
        yield convert(found)
        return
    if head:
        yield head
    async for data in body:
        yield data


async def read_document(body: AsyncIterator[bytes]) -> tuple[bytes | None, bytes]:
    """Return the complete body if it is a JSON document; else None, and the bytes read so far.

    An event stream never starts with a brace or a bracket, so the first byte decides. The header
    ``Content-Type`` is not reliable.

    Raises:
        UpstreamError: The document is too large (``upstream_malformed``).
    """
    head = b""
    async for data in body:
        head += data
        if head.strip(_SPACE) or len(head) > _MAX_SPACE:
            break
    if head.lstrip(_SPACE)[:1] not in (b"{", b"["):
        return None, head
    return await _all(head, body), b""


async def _all(head: bytes, body: AsyncIterator[bytes]) -> bytes:
    document = bytearray(head)
    while len(document) <= MAX_DOCUMENT:
        data = await anext(body, None)
        if data is None:
            return bytes(document).strip(_SPACE)
        document += data
    raise UpstreamError("The provider's response is too large.", code="upstream_malformed")
