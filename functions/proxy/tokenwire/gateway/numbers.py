"""Check the ``starting_after`` of a client of OpenAI Responses against the stream."""

from __future__ import annotations

import asyncio

from ..clock import monotonic
from ..dialects.protocol import Decoder
from ..dialects.responses.encode import ResponsesEncoder
from ..errors import TokenwireError
from ..streams.reader import Reader, ahead_of_log
from ..streams.stream import Stream

_STILL = 2.0
"""Seconds without a block after which to stop waiting for a stream that runs elsewhere."""
_LONGEST = 10.0
"""Seconds to wait for such a stream while it makes progress."""


async def check_number(stream: Stream, decoder: Decoder, number: int) -> None:
    """Check that a running stream has an event of this number.

    Events are counted by encoding what is held, up to the number. The caller of a stream that runs
    elsewhere may be ahead of the store, so the check waits for the store. A stream that is over,
    or that has an unreadable block, passes: the response has the error.

    Args:
        stream: The stream to resume.
        decoder: A new one for the stream's dialect.
        number: The ``sequence_number`` of the last event that the client has; -1 for none.

    Raises:
        ClientError: There is no such event yet (400, ``invalid_cursor``), or the stream's
            beginning is no longer held (410, ``trimmed``).
    """
    if number < 0 or stream.tail.over:
        return
    with stream.tail.attach(1) as reader:
        try:
            is_known = await _is_known(_Count(stream, reader, decoder, number), reader)
        except TokenwireError:
            return
    if not is_known:
        raise ahead_of_log("starting_after")


async def _is_known(count: _Count, reader: Reader) -> bool:
    if await count.advance():
        return True
    until = monotonic() + (0.0 if count.stream.is_ours else _LONGEST)
    while monotonic() < until and await reader.wait(_STILL):
        if await count.advance():
            return True
    return False


class _Count:
    """Counts the events of a stream so far, with a reader of its own."""

    def __init__(self, stream: Stream, reader: Reader, decoder: Decoder, number: int) -> None:
        self.stream = stream
        self._reader = reader
        self._number = number
        self._decoder = decoder
        self._encoder = ResponsesEncoder(number)
        self._encoder.encode(stream.meta.start)

    async def advance(self) -> bool:
        """Encode what is held by now; return whether the number or the stream's end was reached.

        Raises:
            UpstreamError: A block cannot be read.
        """
        reader, limit = self._reader, self.stream.tail.next
        while not self._has_number and reader.position < limit:
            self._encode(reader.take())
            await asyncio.sleep(0)  # let other tasks run, however much there is to encode
        is_over = bool(reader.ended or reader.interruption) or reader.stopped
        return self._has_number or is_over

    @property
    def _has_number(self) -> bool:
        return self._encoder.next_number > self._number

    def _encode(self, blocks: list[bytes]) -> None:
        for block in blocks:
            for event in self._decoder.decode(block):
                self._encoder.encode(event)
