"""Cut a provider's body into the blocks of its stream: the one place where that is done."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

from ..errors import UpstreamError
from ..hotpath import follow
from ..sse import MAX_BLOCK, BlockTooLarge, Splitter, data_of, is_plain, without_cursor
from .block_stream import BlockStream, Taker
from .plain_blocks import are_plain, plain_blocks

Body: TypeAlias = AsyncIterator[bytes]
_CR, _LF = b"\r\n"
_LEAST = len(b"data: \n\n")
"""Bytes of a block without data."""
_MOST_HELD = 4096
"""Bytes of a block that are joined with each read, until it is complete."""


class BodyBlocks:
    """The blocks of a provider's body.

    Args:
        body: Bytes, cut anywhere.
        max_block: The largest block to accept, in bytes.
    """

    def __init__(self, body: Body, max_block: int = MAX_BLOCK) -> None:
        self._body = body
        self._framer = Framer(max_block)
        self._returned: list[bytes] = []
        self._failure: UpstreamError | None = None

    def __aiter__(self) -> AsyncIterator[Sequence[bytes]]:
        return self

    async def __anext__(self) -> Sequence[bytes]:
        if self._returned:
            blocks, self._returned = self._returned, []
            return blocks
        if self._failure is not None:
            raise self._failure
        return self._cut(await anext(self._body))

    def follow(self, taker: Taker) -> Awaitable[None]:
        """As ``BlockStream``."""
        is_one, cut = self._framer.is_one, self._cut
        take, take_one = taker.take, taker.take_one

        def serve(data: bytes) -> bool:
            if is_one(data):
                return take_one(data)
            return take(cut(data)) and self._failure is None

        def serve_many(pieces: list[bytes]) -> bool:
            size = self._framer.joined(pieces)
            if not size or not taker.are_plain(blocks := pieces[:-1]):
                return take(self._joined(self._framer.parts_of(pieces))) and self._failure is None
            is_open = taker.take_plain(blocks, size)
            rest = self._joined(self._framer.parts_of(pieces[-1:]))
            if rest:
                is_open = take(rest) and is_open
            return is_open and self._failure is None

        has_more = bool(self._returned) or self._failure is not None
        return follow(None if has_more else self._body, serve, serve_many)

    def _cut(self, data: bytes) -> list[bytes]:
        if self._framer.is_one(data):
            return [data]
        return self._joined(self._framer.parts(data))

    def _joined(self, parts: Iterator[Sequence[bytes]]) -> list[bytes]:
        blocks: list[bytes] = []
        try:
            for part in parts:
                blocks += part
        except UpstreamError as error:
            if not blocks:
                raise
            self._failure = error
        return blocks

    def put_back(self, blocks: Sequence[bytes]) -> None:
        """Return these blocks, which were read, once more: before all that follow."""
        self._returned = [*blocks, *self._returned]

    @property
    def rest(self) -> bytes:
        """As ``BlockStream``."""
        return self._framer.close()

    async def drain(self) -> None:
        """As ``BlockStream``."""
        async for _ in self._body:
            pass


def framed(
    open_body: Callable[[], AbstractAsyncContextManager[Body]], max_block: int = MAX_BLOCK
) -> Callable[[], AbstractAsyncContextManager[BlockStream]]:
    """Return an opening of blocks from an opening of a body."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[BlockStream]:
        async with open_body() as body:
            yield BodyBlocks(body, max_block)

    return opened


class Framer:
    """Splits a provider's stream, and drops what must not be passed on.

    Comments and blocks without data are removed: comments are the provider's heartbeats (the proxy
    sends its own), and blocks without data crash some SDKs. ``id`` and ``retry`` lines are removed
    too: the proxy sets its own. Bytes that are not UTF-8 become U+FFFD, as in a browser: some SDKs
    fail on them. Everything else stays verbatim.
    """

    __slots__ = ("_held", "_is_at_block", "_max_block", "_splitter")

    def __init__(self, max_block: int = MAX_BLOCK) -> None:
        self._splitter = Splitter(max_block)
        self._max_block = max_block
        self._held = b""
        self._is_at_block = False

    def is_one(self, data: bytes) -> bool:
        """Return whether this is one block to be passed on as it is, and nothing else.

        Most reads of a paced stream are: a line of data, or a line with the event's name and one
        of data. Such bytes need not be fed.
        """
        size, first = len(data), data.find(b"\n")
        if first == size - 2:
            has_lines = data.startswith(b"data:")
        else:
            has_lines = (
                data.find(b"\n", first + 1) == size - 2 > first + _LEAST
                and data.startswith(b"event:")
                and data.startswith(b"data:", first + 1)
            )
        return (
            has_lines
            and data[-1] == _LF
            and self._is_at_block
            and _CR not in data
            and data.isascii()
            and self._max_block >= size > _LEAST
        )

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the blocks that these bytes complete. Must be consumed to its end.

        Raises:
            UpstreamError: A block is too large to hold (``upstream_malformed``). The blocks
                before it have been yielded.
        """
        for blocks in self.parts(data):
            yield from blocks

    def parts(self, data: bytes) -> Iterator[Sequence[bytes]]:
        """As ``feed``, but yields lists: most reads that have many blocks are cut in one go."""
        if self._held:
            data = self._unheld() + data
        elif not self._is_at_block and (end := data.find(b"\n\n") + 2) > 1:
            yield from self._each(data[:end])
            data = data[end:]
        if self._is_at_block and len(data) <= self._max_block:
            blocks, data = plain_blocks(data)
            yield blocks
        if data and not self._holds(data):
            yield from self._each(data)

    def joined(self, pieces: list[bytes]) -> int:
        """Put what is held before the first piece; return the bytes of all pieces but the last.

        0 where the first one begins no block, or they might be more than a block may have.
        """
        if self._held:
            pieces[0] = self._unheld() + pieces[0]
        size = sum(map(len, pieces)) - len(pieces[-1]) if self._is_at_block else 0
        return size if size <= self._max_block else 0

    def parts_of(self, pieces: list[bytes]) -> Iterator[Sequence[bytes]]:
        """As ``parts`` of these pieces together. Most providers write each block as one piece."""
        size = self.joined(pieces)
        blocks, last = pieces[:-1], pieces[-1]
        if blocks and not (size and are_plain(blocks)):
            yield from self.parts(b"".join(pieces))
            return
        yield blocks
        if self.is_one(last):
            yield [last]
        elif not self._holds(last):
            yield from self.parts(last)

    def _holds(self, data: bytes) -> bool:
        """Hold the beginning of a block; return False for anything else, and for a long one.

        Most reads end within a block. To join its parts takes less than to feed the splitter.
        """
        if (
            not self._is_at_block
            or len(data) > min(self._max_block, _MOST_HELD)
            or _CR in data
            or data.find(b"\n\n") >= 0
        ):
            return False
        self._held, self._is_at_block = data, False
        return True

    def _unheld(self) -> bytes:
        held, self._held, self._is_at_block = self._held, b"", True
        return held

    def _each(self, data: bytes) -> Iterator[Sequence[bytes]]:
        try:
            yield [clean for block in self._splitter.feed(data) if (clean := _clean(block))]
        except BlockTooLarge as error:
            self._is_at_block = False
            yield [clean for block in error.blocks if (clean := _clean(block))]
            raise UpstreamError(
                "The provider sent an event that is too large.", code="upstream_malformed"
            ) from error
        self._is_at_block = self._splitter.is_at_block

    def close(self) -> bytes:
        """Return the bytes after the last complete block."""
        return (self._held + self._splitter.close()).strip(b"\r\n")


def _clean(block: bytes) -> bytes | None:
    if not block.isascii():
        block = _as_utf8(block)
    if is_plain(block) and len(block) > _LEAST:
        return block
    block = without_cursor(block)
    return block if data_of(block) else None


def _as_utf8(block: bytes) -> bytes:
    try:
        block.decode()
    except UnicodeDecodeError:
        return block.decode("utf-8", "replace").encode()
    return block
