"""Recognise JSON documents among response bodies that should be event streams.

Some servers answer with one JSON document although the request asks for a stream.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Self

from ..errors import UpstreamError
from ..hotpath import ServePiece, ServePieces, follow

MAX_DOCUMENT = 960 * 1024
"""Maximum size of such a document, in bytes. As one block, it must be below the block limit."""
_SPACE = b"\xef\xbb\xbf \t\r\n"
_MAX_SPACE = 1024


class StreamedBody:
    """The body unchanged, or a JSON document converted to the blocks of a stream.

    Args:
        body: The provider's response body.
        convert: Converts a document to blocks. Raises UpstreamError if it is not a response.

    Raises:
        UpstreamError: The document is too large, or not a response (``upstream_malformed``).
    """

    def __init__(self, body: AsyncIterator[bytes], convert: Callable[[bytes], bytes]) -> None:
        self._body = body
        self._convert = convert
        self._is_stream = False
        self._next: Callable[[], Awaitable[bytes]] = self._first

    def __aiter__(self) -> Self:
        return self

    def __anext__(self) -> Awaitable[bytes]:
        return self._next()

    def follow(self, serve: ServePiece, serve_many: ServePieces | None = None) -> Awaitable[None]:
        """As ``Followed``."""
        return follow(self._body if self._is_stream else None, serve, serve_many)

    async def _first(self) -> bytes:
        self._next = self._body.__anext__
        found, head = await read_document(self._body)
        if found is not None:
            return self._convert(found)
        self._is_stream = True
        return head or await anext(self._body)


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
