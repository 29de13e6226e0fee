"""Bodies that are one JSON document although a stream was asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from ..errors import UpstreamError

MAX_WHOLE = 960 * 1024
"""Bytes of such a document that are read; as a block it has to stay below the block limit."""
_SPACE = b"\xef\xbb\xbf \t\r\n"
_MAX_SPACE = 1024


async def streamed(
    body: AsyncIterator[bytes], convert: Callable[[bytes], bytes]
) -> AsyncIterator[bytes]:
    """The body as it comes; a JSON document as the stream that it should have been.

    Args:
        body: The provider's.
        convert: Writes a document as blocks. Raises UpstreamError if it is not an answer.

    Raises:
        UpstreamError: The document is too large, or not an answer (``upstream_malformed``).
    """
    found, head = await document(body)
    if found is not None:
        yield convert(found)
        return
    if head:
        yield head
    async for data in body:
        yield data


async def document(body: AsyncIterator[bytes]) -> tuple[bytes | None, bytes]:
    """The whole body, if it is a JSON document; else None, and what was read of it.

    No event stream begins with a brace or a bracket, so the first byte tells them apart: what
    servers say in ``Content-Type`` does not.

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
    whole = bytearray(head)
    while len(whole) <= MAX_WHOLE:
        data = await anext(body, None)
        if data is None:
            return bytes(whole).strip(_SPACE)
        whole += data
    raise UpstreamError("The provider sent an answer that is too large.", code="upstream_malformed")
