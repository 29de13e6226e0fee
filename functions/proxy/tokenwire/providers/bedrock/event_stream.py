"""Split AWS's binary event streams into messages with botocore's parser."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from ...dialects.reading import malformed
from ...sse import MAX_BLOCK

# Bytes of a message's frame: the lengths with their checksum, and the message's checksum.
_PRELUDE, _CHECKSUM = 12, 4


class EventStream:
    """Splitter of a binary event stream. A message must not be larger than a block may be."""

    def __init__(self) -> None:
        from botocore.eventstream import EventStreamBuffer

        self._parser: Any = EventStreamBuffer()
        # Bytes not yet given to the parser, and the number that its next step needs. The parser
        # copies its complete buffer for each piece that it is given.
        self._held = bytearray()
        self._needed = _PRELUDE
        self._in_message = False

    def feed(self, data: bytes) -> Iterator[Any]:
        """Yield the messages that these bytes complete. The iterator must be exhausted.

        Raises:
            UpstreamError: The bytes are not an event stream or damaged (``upstream_disconnected``);
                or a message is too large (``upstream_malformed``). Earlier messages are yielded.
        """
        from botocore.eventstream import ParserError

        from ..failures import broken

        self._held += data
        try:
            while len(self._held) >= self._needed:
                yield from self._step()
        except (ParserError, ValueError, KeyError, struct.error):
            raise broken() from None
        if self._needed > MAX_BLOCK:
            raise malformed()

    def _step(self) -> Iterator[Any]:
        """Give the parser a prelude, which it verifies, or the rest of a message."""
        part = bytes(self._held[: self._needed])
        del self._held[: self._needed]
        self._parser.add_data(part)
        yield from self._parser
        self._in_message = not self._in_message
        self._needed = int.from_bytes(part[:4]) - _PRELUDE if self._in_message else _PRELUDE
        if self._needed < _CHECKSUM:
            raise ValueError("a message is shorter than its frame")
