"""Pieces that are taken where they arrive leave the log that short reads leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fakes.framing import framed
from tests.fakes.upstream import DONE, ROLE, STOP, chunk, text, usage
from tokenwire.dialects.chat import DIALECT
from tokenwire.hotpath import ServePiece, ServePieces
from tokenwire.streams.blocks import Bounds
from tokenwire.streams.deadline import Timeouts
from tokenwire.streams.facts import Facts
from tokenwire.streams.pump import Pump, Source
from tokenwire.streams.tail import Tail

BEGUN = ROLE + text("a")
PLAIN = [text(word) for word in ("a", " the", "é☃", "\n", 'say "x"', "")]
# What is no block, no plain one, or one that does not pass as it is.
ODD = st.sampled_from(
    [
        STOP,
        usage(),
        chunk({"content": "x"}, id=None),
        b": comment\n\n",
        b"id: 7\n" + text("i"),
        text("n").replace(b"gpt-x", b"gpt-\xff"),
        text("u").replace(b'"u"', b'"\xff"'),
        text("k").replace(b'"usage":null', b'"x":"\xff"'),
        text("r").replace(b"\n\n", b"\r\n\r\n"),
        text("two") + text("three"),
        text("cut")[:-1],
        text("cut")[:40],
        text("cut")[40:],
        b"data: {\n\n",
        b"data:\n\n",
        b"\n",
        DONE,
    ]
)
READS = st.lists(
    st.lists(ODD | st.sampled_from(PLAIN), min_size=1, max_size=14)
    | st.integers(8, 24).map(lambda count: PLAIN[:1] * count)
    | st.tuples(st.integers(1, 200), st.integers(8, 20)).map(
        lambda cut: [text("c")[cut[0] :], *PLAIN[1:3] * cut[1], text("c")[: cut[0]]]
    ),
    max_size=4,
)


class Pushed:
    """A body of reads: the first is read, the others are pushed for as long as they are taken."""

    def __init__(self, reads: list[list[bytes]]) -> None:
        self._reads = [[BEGUN], *reads]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """Return what a read has brought."""
        if not self._reads:
            raise StopAsyncIteration
        return b"".join(self._reads.pop(0))

    async def follow(self, serve: ServePiece, serve_many: ServePieces | None = None) -> None:
        """Push what each read has brought."""
        assert serve_many is not None
        while self._reads:
            pieces = list(self._reads.pop(0))
            if not (serve_many(pieces) if len(pieces) > 1 else serve(pieces[0])):
                return


async def short_reads(data: bytes) -> AsyncIterator[bytes]:
    """A body of which no read has a block."""
    for place in range(0, len(data), 29):
        yield data[place : place + 29]


async def pumped(body: AsyncIterator[bytes], max_block: int) -> tuple[object, ...]:
    """What a pump leaves of a body: the log, its end, and the facts."""
    tail, facts = Tail(Bounds()), Facts()

    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncIterator[bytes]]:
        yield body

    source = Source(framed(opened, max_block), DIALECT.decoder(), DIALECT.repair())
    await Pump(source, tail, facts, Timeouts()).run()
    with tail.attach(1) as reader:
        blocks = reader.take(1 << 30)
    written = (facts.blocks, facts.bytes, tail.blocks.written, tail.blocks.size)
    return [_with_lf(block) for block in blocks], tail.end, written, facts.usage


def _with_lf(block: bytes) -> bytes:
    # A block that ends with CR does not wait for the LF that may follow.
    return block.replace(b"\r\n", b"\n")


@pytest.mark.parametrize("max_block", [1 << 20, 1000, 400], ids=["large", "five", "two"])
@given(reads=READS)
@example([PLAIN[:1] * 9 + [text("k").replace(b'"usage":null', b'"x":"\xff"')] * 9])
@example([[text("k").replace(b'"usage":null', b'"x":"\xff"')] * 9 + [b""]])
@example([[text("c")[9:], *PLAIN[:1] * 9, text("c")[:9]], [text("c")[9:], DONE]])
@example([[*PLAIN[:1] * 9, text("x" * 400), *PLAIN[:1] * 9]])
@example([[*PLAIN[:1] * 3, text("b") + text("x" * 1000)], [text("c")], [DONE]])
def test_pieces_of_reads_are_logged_as_short_reads(
    max_block: int, reads: list[list[bytes]]
) -> None:
    """Plain or not, cut anywhere, malformed or too large: the same blocks, the same end."""
    reads = [[piece for piece in pieces if piece] for pieces in reads]
    data = b"".join(piece for pieces in reads for piece in pieces)

    async def both() -> tuple[object, object]:
        return (
            await pumped(Pushed(reads), max_block),
            await pumped(short_reads(BEGUN + data), max_block),
        )

    together, apart = asyncio.run(both())
    assert together == apart
