"""Blocks of a provider's body: cut once, in batches, and never lost before a failure."""

from __future__ import annotations

import ast
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fakes.framing import fed, framed
from tokenwire.errors import UpstreamError
from tokenwire.streams.framing import BodyBlocks, Framer

PACKAGE = Path("functions/proxy/tokenwire")


async def body(*pieces: bytes) -> AsyncIterator[bytes]:
    """A provider's body in these pieces."""
    for piece in pieces:
        yield piece


async def test_a_batch_is_what_one_read_completes() -> None:
    """Several blocks, one, or none; what follows the last complete one is the rest."""
    blocks = BodyBlocks(body(b"data: a\n\ndata: b\n\nda", b"ta: ", b"c\n\n", b"data: d"))
    batches = [list(batch) async for batch in blocks]
    assert batches == [[b"data: a\n\n", b"data: b\n\n"], [], [b"data: c\n\n"], []]
    assert blocks.close() == b"data: d"


PIECES = st.sampled_from(
    [
        b"data: a",
        b"data: ",
        b"data:bc",
        b"data",
        b"event: x",
        b": c",
        b"id: 7",
        b"\n",
        b"\n\n",
        b"\n\n",
        b"\r",
        b"\r\n",
        "é".encode(),
        b"\xff",
    ]
)


@given(st.lists(PIECES, max_size=30), st.integers(0, 60))
@example([b"data: a", b"\n\n", b"data: ", b"\n\n", b"data: a", b"\n\n"], 0)
@example([b"data: a", b"\n", b"\r\n"], 0)
def test_many_blocks_of_one_read_are_those_of_many_reads(parts: list[bytes], at: int) -> None:
    """Wherever the reads are cut; the first block decides that the next byte begins another."""
    data = b"".join(parts)
    together, apart = Framer(), Framer()
    begun = b"data: first\n\n"
    found = [*fed(together, begun), *fed(together, data[:at]), *fed(together, data[at:])]
    expected = list(fed(apart, begun))
    for place in range(len(data)):
        expected += fed(apart, data[place : place + 1])
    # A block that ends with CR does not wait for the LF that may follow.
    assert [_with_lf(block) for block in found] == [_with_lf(block) for block in expected]
    assert together.close() == apart.close()


def _with_lf(block: bytes) -> bytes:
    return block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


async def test_blocks_before_one_that_is_too_large() -> None:
    """They come first, and the failure with the next read; without any it comes at once."""
    blocks = BodyBlocks(body(b"data: a\n\ndata: " + b"x" * 50, b"data: b\n\n"), max_block=20)
    assert await anext(aiter(blocks)) == [b"data: a\n\n"]
    with pytest.raises(UpstreamError, match="too large"):
        await anext(aiter(blocks))
    alone = BodyBlocks(body(b"data: " + b"x" * 50), max_block=20)
    with pytest.raises(UpstreamError, match="too large"):
        await anext(aiter(alone))


async def test_blocks_that_are_put_back_come_first() -> None:
    """Reading ahead, as a fallback does to find the first content, changes nothing for the next."""
    blocks = BodyBlocks(body(b"data: a\n\n", b"data: b\n\n"))
    first = await anext(aiter(blocks))
    blocks.put_back(first)
    assert [list(batch) async for batch in blocks] == [[b"data: a\n\n"], [b"data: b\n\n"]]


async def test_draining_reads_to_the_end() -> None:
    """Without cutting: even what would be too large."""
    read: list[bytes] = []

    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncIterator[bytes]]:
        async def pieces() -> AsyncIterator[bytes]:
            for piece in (b"data: a\n\n", b"x" * 100, b"y"):
                read.append(piece)
                yield piece

        yield pieces()

    async with framed(opened, max_block=20)() as blocks:
        assert await anext(aiter(blocks)) == [b"data: a\n\n"]
        await blocks.drain()
    assert read[-1] == b"y"


LINES = (
    "data: ",
    "data:",
    "event: ",
    "event:",
    "id: 1",
    "retry: 1",
    ": c",
    "x",
    "é",
    "\n",
    "\r",
    "",
)


@given(st.lists(st.sampled_from(LINES), max_size=8).map("".join))
@example("data: a\n\n")
@example("event: a\ndata: b\n\n")
@example("event: a\ndata:\n\n")
@example("event: a\ndata: b\n")
@example("event: a\nid: b\n\n")
@example("event: a\ndata: b\n\ndata: c\n\n")
def test_is_one_agrees_with_parts(text: str) -> None:
    """A block that is recognised is returned by ``parts`` unchanged, and no byte is left."""
    framer, read = Framer(), f"{text}\n\n".encode()
    list(fed(framer, b"data: a\n\n"))
    for data in (text.encode(), read):
        if framer.is_one(data):
            assert list(fed(framer, data)) == [data]
            assert framer.close() == b""


def test_two_forms_of_a_block_are_recognised() -> None:
    """A data line, with an event line before it or without; but not inside another block."""
    framer = Framer()
    assert not framer.is_one(b"data: a\n\n")  # a mark of the encoding may come first
    list(fed(framer, b"data: a\n\n"))
    assert framer.is_one(b"data: a\n\n")
    assert framer.is_one(b"event: a\ndata: {}\n\n")
    list(fed(framer, b"data: a\n"))
    assert not framer.is_one(b"data: a\n\n")


def test_only_framing_and_gemini_split() -> None:
    """Gemini's codec splits the stream that it converts to the one that is logged."""
    users = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in {"Framer", "Splitter"}
    }
    assert users == {"sse.py", "streams/framing.py", "providers/gemini/decode.py"}
