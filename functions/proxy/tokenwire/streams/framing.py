"""From a provider's bytes to the blocks worth keeping."""

from __future__ import annotations

from collections.abc import Iterator

from ..errors import UpstreamError
from ..sse import MAX_BLOCK, BlockTooLarge, Splitter, data_of, is_plain, without_cursor


class Framer:
    """Splits a provider's stream, and drops what must not be passed on.

    Comments and blocks without data go: the first are the provider's heartbeats (ours have
    their own pace), the second crash some SDKs. ``id`` and ``retry`` lines go too: on our
    streams the cursor is ours. Bytes that are not UTF-8 become U+FFFD, as a browser would read
    them: some SDKs fail on them. All else stays verbatim.
    """

    def __init__(self, max_block: int = MAX_BLOCK) -> None:
        self._splitter = Splitter(max_block)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the blocks that these bytes complete. To be read to its end.

        Raises:
            UpstreamError: A block is too large to hold (``upstream_malformed``). The blocks
                before it have been yielded.
        """
        failure: BlockTooLarge | None = None
        try:
            blocks = self._splitter.feed(data)
        except BlockTooLarge as error:
            blocks, failure = error.blocks, error
        for block in blocks:
            if clean := _clean(block):
                yield clean
        if failure is not None:
            raise UpstreamError(
                "The provider sent an event that is too large.", code="upstream_malformed"
            ) from failure

    def close(self) -> bytes:
        """What came after the last whole block."""
        return self._splitter.close().strip(b"\r\n")


def _clean(block: bytes) -> bytes | None:
    if not block.isascii():
        block = _as_utf8(block)
    if is_plain(block) and len(block) > len(b"data: \n\n"):
        return block
    block = without_cursor(block)
    return block if data_of(block) else None


def _as_utf8(block: bytes) -> bytes:
    try:
        block.decode()
    except UnicodeDecodeError:
        return block.decode("utf-8", "replace").encode()
    return block
