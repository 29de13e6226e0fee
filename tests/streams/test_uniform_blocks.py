"""Blocks that are cut together: they are those that come out byte by byte."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fakes.framing import fed
from tokenwire.errors import UpstreamError
from tokenwire.sse import Splitter
from tokenwire.streams.framing import Framer
from tokenwire.streams.uniform_blocks import are_single_blocks, split_uniform

ONE, NAMED = b"data: {1}\n\n", b"event: delta\ndata: {2}\n\n"
# Blocks, and what is nearly one.
BLOCKS = st.sampled_from(
    [
        ONE,
        b"data:x\n\n",
        "data: é☃\n\n".encode(),
        NAMED,
        b"event:ping\ndata:x\n\n",
        b"data: \n\n",
        b"data:\n\n",
        b"data\n\n",
        b"event: delta\ndata:\n\n",
        b"event: delta\nid: 7\n\n",
        b"data: a\ndata: b\n\n",
        b"event: a\ndata: b\ndata: c\n\n",
        b"id: 7\ndata: a\n\n",
        b": comment\n\n",
        b"data: a\r\n\r\n",
        b"data: a\rb\n\n",
        b"data: \xff\n\n",
        b"data: \xc3",
        b"\xa9\n\n",
        b"\n",
        b"data: a\n",
        b"da",
        b"ta: a\n\n",
    ]
)


def apart(data: bytes) -> tuple[list[bytes], bytes]:
    """The blocks of these bytes, which begin a block, and the rest: as a splitter cuts them.

    Each block is cleaned by a framer of its own, which knows nothing of what came before.
    """
    splitter = Splitter()
    splitter.feed(ONE)
    blocks = [one for at in range(len(data)) for one in splitter.feed(data[at : at + 1])]
    found = [clean for block in blocks for clean in fed(Framer(), block)]
    return [_with_lf(block) for block in found], splitter.close().strip(b"\r\n")


def _with_lf(block: bytes) -> bytes:
    # A block that ends with CR does not wait for the LF that may follow.
    return block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


@given(st.lists(BLOCKS, max_size=12), st.booleans())
@example([ONE] * 5, True)
@example([NAMED] * 5 + [b"event: delta\n"], True)
@example([ONE, b"data: a\n"], False)
@example([ONE, b"\n"], False)
@example([ONE, NAMED], False)
@example([NAMED, NAMED, ONE], False)
def test_any_pieces_are_cut_as_byte_by_byte(pieces: list[bytes], is_together: bool) -> None:
    """As one read, and as the pieces of a read; the rest of it is the same too."""
    framer, expected = Framer(), apart(b"".join(pieces))
    list(fed(framer, ONE))
    if is_together or len(pieces) < 2:
        found = list(fed(framer, b"".join(pieces)))
    else:
        found = [
            block for part in framer.parts_of(pieces, framer.prepend_held(pieces)) for block in part
        ]
    assert ([_with_lf(block) for block in found], framer.close()) == expected


@given(st.lists(BLOCKS, min_size=1, max_size=6))
def test_pieces_that_are_blocks_are_passed_on_unchanged(pieces: list[bytes]) -> None:
    """A splitter would return the same blocks, whether they are cut together or not at all."""
    if are_single_blocks(pieces):
        assert (pieces, b"") == apart(b"".join(pieces))
    blocks, rest = split_uniform(b"".join(pieces))
    if blocks:
        assert blocks == apart(b"".join(blocks))[0]
        assert b"".join(blocks) + rest == b"".join(pieces)


@pytest.mark.parametrize(
    "blocks", [[ONE] * 9, ["data: é\n\n".encode()] * 2, [NAMED] * 9, [NAMED]], ids=str
)
def test_the_forms_of_the_providers_are_cut_at_once(blocks: list[bytes]) -> None:
    """With a part of the next block, and with none."""
    assert are_single_blocks(blocks)
    for rest in (b"", b"data: {", b"event: x\nda"):
        assert split_uniform(b"".join(blocks) + rest) == (blocks, rest)


def counted(framer: Framer, pieces: Sequence[bytes]) -> list[int]:
    """How many blocks come at once of these pieces."""
    pieces = list(pieces)
    return [len(part) for part in framer.parts_of(pieces, framer.prepend_held(pieces)) if part]


def test_reads_that_end_within_a_block_are_cut_at_once() -> None:
    """The rest of a block, hundreds, and the beginning of the next one: as reads are."""
    framer = Framer()
    list(fed(framer, ONE + b"data: {"))
    assert counted(framer, [b"1}\n\n", *[ONE] * 300, b"data"]) == [301]
    assert [len(part) for part in framer.parts(b": {1}\n\n" + ONE * 300 + b"da") if part] == [301]


def test_size_limit_holds_within_a_read() -> None:
    """Those before it are passed on, and nothing that follows it."""
    framer = Framer(max_block=40)
    list(fed(framer, ONE))
    pieces = [ONE, ONE, b"data: " + b"x" * 40 + b"\n\n", ONE]
    parts = framer.parts_of(pieces, framer.prepend_held(pieces))
    assert next(parts) == [ONE, ONE]
    with pytest.raises(UpstreamError, match="too large"):
        list(parts)
    assert not framer.is_one(ONE)


@given(st.integers(1, 200), st.integers(1, 20_000))
def test_beginning_of_a_block_is_held_within_the_bound(step: int, size: int) -> None:
    """However small the reads are; then the block comes, or the failure."""
    framer, block = Framer(max_block=10_000), b"data: " + b"x" * size + b"\n\n"
    list(fed(framer, ONE))
    found: list[bytes] = []
    taken = 0
    try:
        for at in range(0, len(block), step):
            taken = at + step
            found += fed(framer, block[at:taken])
    except UpstreamError:
        assert 10_000 < taken <= 10_000 + step or taken >= len(block) > 10_000
    else:
        assert (found, framer.close()) == ([block], b"")
        assert len(block) <= 10_000
