"""The viewer: reads one log from a cursor, for one client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .reader import Reader
from .rendering import Rendering

_STEP = 4096
"""Bytes that are charged beyond those held, so that not every block has to be charged."""


@dataclass(slots=True)
class Delivery:
    """What was sent to one viewer, for the log line.

    Args:
        blocks: Records that were read, also those without a block in the client's dialect.
        bytes: Bytes that were sent, heartbeats included.
        began: The instant of the first write, in ``perf_counter`` seconds.
        heartbeats: Heartbeats that were sent.
        complete: Whether the viewer has returned the last write: the end, or the error of an
            interruption.
    """

    blocks: int = 0
    bytes: int = 0
    began: float | None = None
    heartbeats: int = 0
    complete: bool = False


class Viewer:
    """What one client is sent, from the reader's position to the end of the stream.

    ``over`` is whether nothing more follows what ``next`` has returned. If the reader is
    interrupted, the last write is an error without an id. If the client has disconnected, there
    is no last write.

    Args:
        reader: The client's position in the log.
        rendering: Turns records into bytes.
        delivery: Counts what is sent.
        prefix: Bytes before the first write.
        charge: Called when the rendering holds more bytes than were charged, with these bytes and
            some that it may hold soon.
    """

    __slots__ = (
        "_charge",
        "_charged",
        "_delivery",
        "_epoch",
        "_prefix",
        "_reader",
        "_rendering",
        "over",
    )

    def __init__(
        self,
        reader: Reader,
        rendering: Rendering,
        delivery: Delivery,
        prefix: bytes = b"",
        charge: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._charge = charge
        self._charged = 0
        self._prefix = prefix
        self._reader = reader
        self._rendering = rendering
        self._delivery = delivery
        self._epoch = reader.epoch
        self.over = False

    def next(self) -> bytes | None:
        """Return the next write, which ends with a complete block.

        It has the blocks that can be read now, up to about 64 KiB of them, and the end if no
        block remains. None if nothing can be read now; empty if the records that were read have
        no bytes in this dialect.
        """
        reader, rendering = self._reader, self._rendering
        first = reader.position
        if not reader.stopped and (blocks := reader.take()):
            self._delivery.blocks += len(blocks)
            data = rendering.blocks(self._epoch, first, blocks)
            if rendering.held > self._charged:
                self._charge_more()
            if rendering.over:
                return self._last(data)
            return self._with_end(data)
        return self._without_blocks()

    def next_one(self, block: bytes) -> bytes | None:
        """As ``next``, if this block is all that there is to read."""
        reader, rendering = self._reader, self._rendering
        if reader.stopped or self._prefix:
            return self.next()
        number = reader.position
        reader.position = number + 1
        reader.consumed = reader.blocks.written
        self._delivery.blocks += 1
        data = rendering.block(self._epoch, number, block)
        if rendering.held > self._charged:
            self._charge_more()
        return self._last(data) if rendering.over else data

    def _with_end(self, data: bytes) -> bytes:
        """Add the end if it is due already, so that one write is made instead of two."""
        reader = self._reader
        if not reader.stopped and (ended := reader.ended) is not None:
            return self._last(data + self._rendering.close(*ended))
        return self._prefixed(data) if self._prefix else data

    def _charge_more(self) -> None:
        self._charged = self._rendering.held + _STEP
        self._charge(self._charged)

    def _without_blocks(self) -> bytes | None:
        reader = self._reader
        if (why := reader.interruption) is not None:
            return self._last(self._rendering.interrupt(why))
        if reader.stopped:
            self.over = True
        elif (ended := reader.ended) is not None:
            return self._last(self._rendering.close(*ended))
        return None

    def _last(self, data: bytes) -> bytes:
        self._delivery.complete = self.over = True
        return self._prefixed(data)

    def _prefixed(self, data: bytes) -> bytes:
        if data:
            data, self._prefix = self._prefix + data, b""
        return data
