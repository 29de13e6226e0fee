"""Renderings: the records of a log as the blocks of one client's dialect, with their ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..dialects.protocol import Decoder, Encoder, as_event
from ..errors import TokenwireError
from ..events import Content, Error
from ..hotpath import ReadsText, WritesText, no_text
from ..stores.records import Cursor, End, Meta, RecordId


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


class _Rendered:
    """What both renderings have: an encoder for the end, and ids.

    The bytes of an id line before a record's number are kept, since most records have the epoch
    of the one before.
    """

    __slots__ = ("_encoder", "_epoch", "_head", "_ids")

    def __init__(self, encoder: Encoder, ids: Ids) -> None:
        self._encoder = encoder
        self._ids = ids
        self._epoch = -1
        self._head = b""

    def _head_of(self, epoch: int) -> bytes:
        if epoch != self._epoch:
            self._epoch, self._head = epoch, self._ids.head(epoch)
        return self._head

    def close(self, at: RecordId, end: End) -> bytes:
        """Return the client's dialect's own terminator or error."""
        encoder = self._encoder
        return self._ids.write(at, encoder.end() if end.error is None else encoder.error(end.error))

    def interrupt(self, why: Error) -> bytes:
        """Return the dialect's error."""
        return b"".join(self._encoder.interrupt(why))


class Verbatim(_Rendered):
    """For a client whose dialect is the provider's own: the bytes of blocks are not changed.

    Args:
        encoder: Encodes the end, if the provider sent none.
        ids: Writes the ids of the end's blocks; each record before it is one block.
        surplus: Returns whether a block is left out because this client did not request it. If
            given, it reads each block, unless ``may_be_surplus`` excludes it.
        may_be_surplus: Returns whether one of several blocks, given as their bytes, may be
            surplus.
    """

    __slots__ = ("_may_be_surplus", "_surplus")

    def __init__(
        self,
        encoder: Encoder,
        ids: Ids = Ids(),
        surplus: Callable[[bytes], bool] | None = None,
        may_be_surplus: Callable[[bytes], bool] = lambda _: True,
    ) -> None:
        super().__init__(encoder, ids)
        self._surplus = surplus
        self._may_be_surplus = may_be_surplus

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

    def block(self, epoch: int, number: int, block: bytes) -> bytes:
        """Return the block with its id line before it."""
        head = self._head if epoch == self._epoch else self._head_of(epoch)
        if self._surplus is not None and self._surplus(block):
            return b""
        return b"%b%d\n%b" % (head, number, block)

    def close(self, at: RecordId, end: End) -> bytes:
        """Return the provider's own terminator if it sent one, else the dialect's."""
        return self._ids.write(at, [end.block]) if end.block else super().close(at, end)


class Translated(_Rendered):
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

    __slots__ = ("_decoder", "_has_text", "_muted", "_text_block", "_text_of", "over")

    def __init__(
        self, decoder: Decoder, encoder: Encoder, ids: Ids = Ids(), muted: int = -1
    ) -> None:
        super().__init__(encoder, ids)
        self._decoder = decoder
        self._muted = muted
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
        head = self._head if epoch == self._epoch else self._head_of(epoch)
        return b"%b%d\n%b" % (head, number, block)

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
