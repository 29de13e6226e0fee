"""The viewer: reads one log from a cursor and encodes it in one client's dialect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..dialects.protocol import Decoder, Encoder, as_event
from ..errors import TokenwireError
from ..events import Content, Error
from ..hotpath import ReadsText, WritesText, no_text
from ..stores.records import Cursor, End, Meta, RecordId
from .reader import Reader

_STEP = 4096
"""Bytes that are charged beyond those held, so that not every block has to be charged."""


class Rendering(Protocol):
    """How records become the bytes of one response."""

    @property
    def over(self) -> bool:
        """Whether it has sent its last block already, because a record could not be decoded."""

    @property
    def held(self) -> int:
        """Bytes of the stream's text that it holds until the end."""

    def open(self, meta: Meta) -> bytes:
        """Return the meta record's blocks; empty if the dialect has none."""

    def blocks(self, epoch: int, first: int, blocks: list[bytes]) -> bytes:
        """Return these records' blocks; ``first`` is the sequence number of the first record."""

    def block(self, epoch: int, number: int, block: bytes) -> bytes:
        """As ``blocks``, for one record."""

    def close(self, at: RecordId, end: End) -> bytes:
        """Return the terminator or the error that ends the response."""

    def interrupt(self, why: Error) -> bytes:
        """Return the error that ends this response, but not the stream; it has no id."""


@dataclass(frozen=True, slots=True)
class Ids:
    """Writes an id line before each block of a record.

    The blocks of a record have the ids ``epoch-seq.1``, ``epoch-seq.2`` and so on. The last block,
    or the only one, has ``epoch-seq``, since a client that has it has the complete record.

    Args:
        prefix: Stands before each id, such as ``st_abc.``.
        cursor: What the client has. If it has some blocks of a record, these are left out.
    """

    prefix: str = ""
    cursor: Cursor | None = None

    def head(self, epoch: int) -> bytes:
        """Return the bytes of an id line before the sequence number of a record of this epoch."""
        return f"id: {self.prefix}{epoch}-".encode()

    def write(self, at: RecordId, blocks: list[bytes]) -> bytes:
        """Return the blocks of one record that the client lacks. An empty one is only counted."""
        head = f"id: {self.prefix}{at}".encode()
        if len(blocks) == 1:
            return b"%b\n%b" % (head, blocks[0]) if blocks[0] else b""
        has, last = self._held(at, len(blocks)), len(blocks) - 1
        return b"".join(
            b"%b%b\n%b" % (head, b"" if place == last else b".%d" % (place + 1), block)
            for place, block in enumerate(blocks)
            if block and place >= has
        )

    def _held(self, at: RecordId, count: int) -> int:
        """Return how many of the record's ``count`` blocks the client has.

        0 if the cursor has a higher part than the record has in this dialect: it is an id of
        another dialect. An id does not name its dialect: a lower part counts as one of this.
        """
        cursor = self.cursor
        if cursor is None or cursor.last != at or cursor.part >= count:
            return 0
        return cursor.part


class Verbatim:
    """For a client whose dialect is the provider's own: the bytes of blocks are not changed.

    Args:
        encoder: Encodes the end, if the provider sent none.
        ids: Writes the ids of the end's blocks; each record before it is one block.
        surplus: Returns whether a block is left out because this client did not request it. If
            given, it reads each block, unless ``may_be_surplus`` excludes it.
        may_be_surplus: Returns whether one of several blocks, given as their bytes, may be
            surplus.
    """

    __slots__ = ("_encoder", "_epoch", "_head", "_ids", "_may_be_surplus", "_surplus")

    def __init__(
        self,
        encoder: Encoder,
        ids: Ids = Ids(),
        surplus: Callable[[bytes], bool] | None = None,
        may_be_surplus: Callable[[bytes], bool] = lambda _: True,
    ) -> None:
        self._encoder = encoder
        self._ids = ids
        self._surplus = surplus
        self._may_be_surplus = may_be_surplus
        self._epoch = -1
        self._head = b""

    over = False
    held = 0

    def open(self, meta: Meta) -> bytes:
        """Return nothing: the provider's first block begins the stream."""
        return b""

    def blocks(self, epoch: int, first: int, blocks: list[bytes]) -> bytes:
        """Return each block with its id line before it."""
        line = self._head_of(epoch).replace(b"%", b"%%") + b"%d\n"
        count = len(blocks)
        # The id lines are formatted together, since that costs less than to format each.
        id_lines = (line * count % tuple(range(first, first + count))).splitlines(keepends=True)
        # A list of twice the length, filled alternately: an id line, its block, and so on.
        lines = blocks * 2
        lines[::2] = id_lines
        lines[1::2] = blocks
        data = b"".join(lines)
        if self._surplus is None or not self._may_be_surplus(data):
            return data
        return b"".join(
            self.block(epoch, number, block) for number, block in enumerate(blocks, first)
        )

    def _head_of(self, epoch: int) -> bytes:
        if epoch != self._epoch:
            self._epoch, self._head = epoch, self._ids.head(epoch)
        return self._head

    def block(self, epoch: int, number: int, block: bytes) -> bytes:
        """Return the block with its id line before it."""
        head = self._head if epoch == self._epoch else self._head_of(epoch)
        if self._surplus is not None and self._surplus(block):
            return b""
        return b"%b%d\n%b" % (head, number, block)

    def close(self, at: RecordId, end: End) -> bytes:
        """Return the provider's own terminator if it sent one, else the dialect's."""
        blocks = [end.block] if end.block else _ending(self._encoder, end)
        return self._ids.write(at, blocks)

    def interrupt(self, why: Error) -> bytes:
        """Return the dialect's error."""
        return b"".join(self._encoder.interrupt(why))


class Translated:
    """For a client of another dialect: every block is translated, most of those of text directly.

    Any other block is decoded to events, which are encoded for the client. One record may become
    several blocks, each with an id of its own, or none.

    Args:
        decoder: Of the provider's dialect.
        encoder: Of the client's.
        ids: Writes the blocks' ids.
        muted: Records up to this number are decoded and encoded, for the state of decoder and
            encoder, but not sent: the client has them.
    """

    __slots__ = (
        "_decoder",
        "_encoder",
        "_epoch",
        "_has_text",
        "_head",
        "_ids",
        "_muted",
        "_text_block",
        "_text_of",
        "over",
    )

    def __init__(
        self, decoder: Decoder, encoder: Encoder, ids: Ids = Ids(), muted: int = -1
    ) -> None:
        self._decoder = decoder
        self._encoder = encoder
        self._ids = ids
        self._muted = muted
        self._epoch = -1
        self._head = b""
        # Whether the last record was text: then the next one probably is too.
        self._has_text = True
        self._text_of = decoder.text_of if isinstance(decoder, ReadsText) else no_text
        self._text_block = encoder.text_block if isinstance(encoder, WritesText) else no_text
        self.over = False

    @property
    def held(self) -> int:
        """As ``Rendering.held``."""
        return self._encoder.held

    def open(self, meta: Meta) -> bytes:
        """Return the dialect's first block, which does not wait for the provider."""
        blocks = self._encoder.encode(meta.start)
        return b"" if self._muted >= 0 else self._ids.write(RecordId(1, 0), blocks)

    def blocks(self, epoch: int, first: int, blocks: list[bytes]) -> bytes:
        """Return the records in the client's dialect; an error, if one cannot be decoded."""
        return b"".join(
            self.block(epoch, number, block)
            for number, block in enumerate(blocks, first)
            if not self.over
        )

    def block(self, epoch: int, number: int, block: bytes) -> bytes:
        """As ``blocks``, for one record."""
        if self._has_text and (text := self._text_of(block)) is not None:
            data = self._text_block(text)
            if data is not None:
                return b"" if number <= self._muted else self._with_id(epoch, number, data)
        return self._decoded(epoch, number, block)

    def _with_id(self, epoch: int, number: int, block: bytes) -> bytes:
        if epoch != self._epoch:
            self._epoch, self._head = epoch, self._ids.head(epoch)
        return b"%b%d\n%b" % (self._head, number, block)

    def _decoded(self, epoch: int, number: int, block: bytes) -> bytes:
        try:
            events = self._decoder.decode(block)
        except TokenwireError as error:
            # The pump does not decode text blocks, so a bad one is found only here. The error
            # does not end the stream, so it has no id.
            self.over = True
            return self.interrupt(as_event(error))
        self._has_text = len(events) == 1 and isinstance(events[0], Content)
        encoded = [out for event in events for out in self._encoder.encode(event)]
        if number <= self._muted or not encoded:
            return b""
        return self._ids.write(RecordId(epoch, number), encoded)

    def close(self, at: RecordId, end: End) -> bytes:
        """Return the client's dialect's own terminator or error."""
        return self._ids.write(at, _ending(self._encoder, end))

    def interrupt(self, why: Error) -> bytes:
        """Return the dialect's error."""
        return b"".join(self._encoder.interrupt(why))


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


def _ending(encoder: Encoder, end: End) -> list[bytes]:
    return encoder.end() if end.error is None else encoder.error(end.error)
