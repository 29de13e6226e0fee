"""Split a provider's body into the blocks of its stream. No other module does this."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterator, Sequence
from typing import TypeAlias

from ..errors import UpstreamError
from ..hotpath import follow
from ..sse import MAX_BLOCK, BlockTooLarge, Splitter, data_of, is_data_line, without_cursor
from .block_stream import Taker
from .uniform_blocks import are_single_blocks, split_uniform

Body: TypeAlias = AsyncIterator[bytes]
_CR, _LF = ord("\r"), ord("\n")
_LEAST = len(b"data: \n\n")
"""Bytes of a block without data."""
_MOST_HELD = 4096
"""Bytes of an incomplete block that are joined with the next read. Longer ones are given to the
splitter, since each join copies all of them."""


class BodyBlocks:
    """The blocks of a provider's body.

    Args:
        body: Its bytes, in pieces of any size.
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
            framer = self._framer
            size, blocks = framer.prepend_held(pieces), pieces[:-1]
            if not (size and taker.are_plain(blocks)):
                return (
                    take(self._collected(framer.parts_of(pieces, size))) and self._failure is None
                )
            is_open = taker.take_plain(blocks, size)
            rest = self._collected(framer.last_part(pieces[-1]))
            if rest:
                is_open = take(rest) and is_open
            return is_open and self._failure is None

        has_more = bool(self._returned) or self._failure is not None
        return follow(None if has_more else self._body, serve, serve_many)

    def _cut(self, data: bytes) -> list[bytes]:
        if self._framer.is_one(data):
            return [data]
        return self._collected(self._framer.parts(data))

    def _collected(self, parts: Iterator[Sequence[bytes]]) -> list[bytes]:
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
        """Return these blocks, which were read, once more, before those that follow."""
        self._returned = [*blocks, *self._returned]

    def close(self) -> bytes:
        """As ``BlockStream``."""
        return self._framer.close()

    async def drain(self) -> None:
        """As ``BlockStream``."""
        async for _ in self._body:
            pass


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
        """Return whether this is exactly one block that is passed on unchanged. False in doubt.

        True for most reads of a paced stream. The block has one data line, or one event line and
        one data line, in ASCII. It need not be given to ``parts``.
        """
        size, first = len(data), data.find(b"\n")
        if first == size - 2:
            has_lines = data.startswith(b"data:")
        else:
            has_lines = (
                data.find(b"\n", first + 1) == size - 2
                and size - first - 1 > _LEAST
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

    def parts(self, data: bytes) -> Iterator[Sequence[bytes]]:
        """Yield lists of the blocks that these bytes complete. Must be consumed to its end.

        The blocks of most reads are cut together, and are one list.

        Raises:
            UpstreamError: A block is too large to hold (``upstream_malformed``). The blocks
                before it have been yielded.
        """
        if self._held:
            data = self._take_held() + data
        elif not self._is_at_block and (end := data.find(b"\n\n") + 2) > 1:
            # The splitter has the beginning of a block, or the body begins. The splitter gets the
            # bytes up to the first empty line; those after it nearly always begin a block.
            yield from self._each(data[:end])
            data = data[end:]
        if self._is_at_block and len(data) <= self._max_block:
            # None of these blocks can be too large. The bytes that are left begin a block, or are
            # blocks of other forms.
            blocks, data = split_uniform(data)
            yield blocks
        if data and not self._hold(data):
            yield from self._each(data)

    def prepend_held(self, pieces: list[bytes]) -> int:
        """Put the held bytes before the first piece; return the size of all pieces but the last.

        Returns 0 if the first piece does not begin a block, or if the size exceeds that of a block,
        since one of the pieces may then be too large.
        """
        if self._held:
            pieces[0] = self._take_held() + pieces[0]
        size = sum(map(len, pieces)) - len(pieces[-1]) if self._is_at_block else 0
        return size if size <= self._max_block else 0

    def parts_of(self, pieces: list[bytes], size: int) -> Iterator[Sequence[bytes]]:
        """As ``parts`` of two pieces or more. Most providers send each block as one piece.

        Args:
            pieces: They have the held bytes already.
            size: As ``prepend_held`` has returned it.
        """
        blocks = pieces[:-1]
        if size and are_single_blocks(blocks):
            yield blocks
            yield from self.last_part(pieces[-1])
        else:
            yield from self.parts(b"".join(pieces))

    def last_part(self, piece: bytes) -> Iterator[Sequence[bytes]]:
        """As ``parts`` of the piece after complete blocks: mostly one block, or a part of one."""
        if self.is_one(piece):
            yield [piece]
        elif not self._hold(piece):
            yield from self.parts(piece)

    def _hold(self, data: bytes) -> bool:
        """Hold the beginning of a block. Return False for other bytes, and for a long beginning.

        Most reads end within a block. To join its parts costs less than to use the splitter.
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

    def _take_held(self) -> bytes:
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
        """End the stream; return the bytes after the last complete block."""
        return (self._held + self._splitter.close()).strip(b"\r\n")


def _clean(block: bytes) -> bytes | None:
    if not block.isascii():
        block = _as_utf8(block)
    if is_data_line(block) and len(block) > _LEAST:
        return block
    block = without_cursor(block)
    return block if data_of(block) else None


def _as_utf8(block: bytes) -> bytes:
    try:
        block.decode()
    except UnicodeDecodeError:
        return block.decode("utf-8", "replace").encode()
    return block
