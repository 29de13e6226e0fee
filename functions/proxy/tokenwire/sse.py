"""Server-Sent Events: bytes to blocks to events (WHATWG HTML §9.2).

Without I/O, and bounded. ``Splitter`` splits a byte stream into complete blocks and keeps their
bytes, for passing them on. ``Parser`` returns the events that a client would see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_BLOCK = 1024 * 1024
PING = b": ping\n"
"""A heartbeat that every client accepts: a comment line without a blank line after it.

A blank line would end a block. After an ``id:``, several SDKs would then dispatch an empty event
and fail.
"""

_BOM = b"\xef\xbb\xbf"
_EOL = re.compile(rb"\r\n|\r|\n")
# A CR before an LF is part of one line end, not a separate line end.
_BLANK = re.compile(rb"(?:\r\n|\r(?!\n)|\n)(?:\r\n|\r|\n)")
_OURS = re.compile(rb"(?<![^\r\n])(?:(?:id|retry)(?::[^\r\n]*)?(?:\r\n|\r|\n))+")
# Longer than any useful delay, and shorter than the limit of int().
_MAX_DIGITS = 15


class BlockTooLarge(ValueError):
    """A block exceeded the bound before its blank line.

    Args:
        limit: The bound, in bytes.
        blocks: The complete blocks before it in the same read.
    """

    def __init__(self, limit: int, blocks: list[bytes]) -> None:
        super().__init__(f"an event block exceeds {limit} bytes")
        self.blocks = blocks


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One dispatched event, as an ``EventSource`` would receive it."""

    data: str
    type: str = "message"
    last_event_id: str = ""


class Splitter:
    """Splits a byte stream into event blocks, each with the blank line that ends it.

    The bytes of a block are kept, with three exceptions that do not change its meaning: one
    leading BOM is dropped, blank lines before a block are dropped, and a block whose last LF has
    not arrived yet is completed instead of delayed.

    Args:
        max_block: The maximum size of a block, in bytes.
    """

    def __init__(self, max_block: int = MAX_BLOCK) -> None:
        self._max_block = max_block
        self._buffer = bytearray()
        self._scanned = 0
        self._head: bytes | None = b""
        self._has_cr = False
        self._owed_lf = False

    @property
    def is_at_block(self) -> bool:
        """Whether the next byte begins a block: no byte is held, or due to the one before."""
        return self._head is None and not (self._buffer or self._owed_lf)

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes; return the blocks that they complete.

        Raises:
            BlockTooLarge: A block exceeds ``max_block``; the exception has the blocks before it.
        """
        self._buffer += self._unwrap(data)
        blocks: list[bytes] = []
        start = 0
        for end in self._ends():
            block = self._cut(start, end)
            if len(block) > self._max_block:
                raise BlockTooLarge(self._max_block, blocks)
            if block:
                blocks.append(block)
            start = end
        if start == len(self._buffer):
            self._buffer = bytearray()  # which has no room left over, as an emptied one would
        else:
            del self._buffer[:start]
        self._scanned = len(self._buffer)
        if self._scanned > self._max_block:
            raise BlockTooLarge(self._max_block, blocks)
        return blocks

    def blocks(self, data: bytes) -> Iterator[bytes]:
        """As ``feed``, but yields the blocks before it raises. Must be consumed to its end."""
        try:
            yield from self.feed(data)
        except BlockTooLarge as error:
            yield from error.blocks
            raise

    def close(self) -> bytes:
        """End the stream; return the incomplete rest, which a client drops."""
        rest = bytes(self._buffer) + (self._head or b"")
        self._buffer.clear()
        return rest

    def _unwrap(self, data: bytes) -> bytes:
        if self._head is not None:
            data = self._head + data
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._head = data
                return b""
            self._head = None
            data = data.removeprefix(_BOM)
        if self._owed_lf and data:
            self._owed_lf = False
            data = data.removeprefix(b"\n")
        self._has_cr = self._has_cr or b"\r" in data
        return data

    def _ends(self) -> Iterator[int]:
        at = max(self._scanned - 3, 0)
        if not self._has_cr:
            while (found := self._buffer.find(b"\n\n", at)) >= 0:
                yield (at := found + 2)
            return
        while match := _BLANK.search(self._buffer, at):
            yield (at := match.end())

    def _cut(self, start: int, end: int) -> bytes:
        block = bytes(self._buffer[start:end])
        if end == len(self._buffer) and block.endswith(b"\r"):
            self._owed_lf = True
            block += b"\n" if block.endswith(b"\r\n\r") else b""
        return block.lstrip(b"\r\n") if block[0] in b"\r\n" else block


class Parser:
    """Converts bytes to dispatched events, by the rules of the specification.

    ``last_event_id`` and ``reconnection_time`` (milliseconds, or None until the server sends one)
    are the values that a reconnecting client must remember.
    """

    def __init__(self, max_block: int = MAX_BLOCK) -> None:
        self._splitter = Splitter(max_block)
        self.last_event_id = ""
        self.reconnection_time: int | None = None

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        """Take the next bytes; return the events that they complete.

        Raises:
            BlockTooLarge: A block exceeds the bound.
        """
        events = (self._dispatch(block) for block in self._splitter.feed(data))
        return [event for event in events if event is not None]

    def close(self) -> None:
        """End the stream. An incomplete block is discarded, but its ``retry`` is applied."""
        for name, value in _fields(self._splitter.close()):
            self._retry(name, value)

    def _dispatch(self, block: bytes) -> ServerSentEvent | None:
        data: list[str] = []
        kind = ""
        for name, value in _fields(block):
            if name == "data":
                data.append(value)
            elif name == "event":
                kind = value
            elif name == "id" and "\0" not in value:
                self.last_event_id = value
            else:
                self._retry(name, value)
        if not data:
            return None
        return ServerSentEvent("\n".join(data), kind or "message", self.last_event_id)

    def _retry(self, name: str, value: str) -> None:
        if name != "retry" or not (value.isascii() and value.isdigit()):
            return
        if len(value) <= _MAX_DIGITS:
            self.reconnection_time = int(value)


def _fields(block: bytes) -> Iterator[tuple[str, str]]:
    for line in _EOL.split(block):
        if line and not line.startswith(b":"):
            name, _, value = line.decode("utf-8", "replace").partition(":")
            yield name, value.removeprefix(" ")


def data_of(block: bytes) -> bytes | None:
    """Return the block's ``data`` lines joined with LF, or None if it has none."""
    if is_data_line(block):
        return block[5:-2].removeprefix(b" ")
    lines = [line[5:] for line in _EOL.split(block) if line.startswith(b"data:") or line == b"data"]
    return b"\n".join(line.removeprefix(b" ") for line in lines) if lines else None


def is_data_line(block: bytes) -> bool:
    """Return whether the block is one data line and LF LF, as most blocks of most providers are."""
    return block.startswith(b"data:") and block.find(b"\n") == len(block) - 2 and b"\r" not in block


def is_utf8(data: bytes) -> bool:
    """Return whether the bytes are UTF-8."""
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def event_of(block: bytes) -> bytes:
    """Return the name of the block's event; empty if it has none."""
    if is_data_line(block):
        return b""
    names = [line[6:] for line in _EOL.split(block) if line.startswith(b"event:")]
    return names[-1].removeprefix(b" ") if names else b""


def without_cursor(block: bytes) -> bytes:
    """Return the block without ``id`` and ``retry`` lines, which the proxy sets itself."""
    if b"id" not in block and b"retry" not in block:
        return block
    return _OURS.sub(_replacement, block)


def _replacement(lines: re.Match[bytes]) -> bytes:
    # Removing the line could join a CR and an LF to one line end; a comment keeps them separate.
    at, block = lines.start(), lines.string
    return b":\n" if block[at - 1 : at] == b"\r" and block.startswith(b"\n", lines.end()) else b""


def event_block(name: str, data: bytes) -> bytes:
    """Return the block of an event whose name and data are one line each, as JSON is."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)
