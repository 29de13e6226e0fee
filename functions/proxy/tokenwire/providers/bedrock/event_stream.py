"""AWS's binary event streams, cut into messages by botocore's parser."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from ...sse import MAX_BLOCK

# Bytes of a message's frame: lengths and their checksum before it, its checksum after it.
_PRELUDE, _CHECKSUM = 12, 4


class EventStream:
    """Cuts a binary event stream into its messages, none of them larger than a block may be."""

    def __init__(self) -> None:
        from botocore.eventstream import EventStreamBuffer

        self._parser: Any = EventStreamBuffer()
        # What the parser does not have yet, and how much of it it needs for its next step. It
        # copies all that it holds for each piece that it is given.
        self._held = bytearray()
        self._needed = _PRELUDE
        self._in_message = False

    def feed(self, data: bytes) -> Iterator[Any]:
        """Yield the messages that these bytes complete. To be read to its end.

        Raises:
            UpstreamError: They are no event stream, or broken (``upstream_disconnected``); or
                a message is too large (``upstream_malformed``). Those before it were yielded.
        """
        from botocore.eventstream import ParserError

        from ..failures import broken, malformed

        self._held += data
        try:
            while len(self._held) >= self._needed:
                yield from self._step()
        except (ParserError, ValueError, KeyError, struct.error) as error:
            raise broken(error) from None
        if self._needed > MAX_BLOCK:
            raise malformed()

    def _step(self) -> Iterator[Any]:
        """Give the parser a prelude, which it checks, or the rest of a message."""
        part = bytes(self._held[: self._needed])
        del self._held[: self._needed]
        self._parser.add_data(part)
        yield from self._parser
        self._in_message = not self._in_message
        self._needed = int.from_bytes(part[:4]) - _PRELUDE if self._in_message else _PRELUDE
        if self._needed < _CHECKSUM:
            raise ValueError("a message is shorter than its frame")
