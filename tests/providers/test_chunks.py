"""A chunk that arrives alone passes the parser by: for any bytes, cut anywhere, nothing changes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import httptools
import httpx2
from hypothesis import example, given
from hypothesis import strategies as st

from tests.fakes.transport import Open
from tokenwire.providers.connection import Connection

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
CHUNK = b"1\r\na\r\n"
# Chunks inside of chunks, and what is nearly a chunk.
ODD = (b"3\r\nabc\r\n", b"0\r\n\r\n", b"3\r\n", b"abc\r\n", b"\r\n", b"A\r\n0123456789\r\n", b"-2")
text = st.binary(max_size=12) | st.sampled_from(ODD) | st.lists(st.sampled_from(ODD)).map(b"".join)
sizes = st.sampled_from((b"%x", b"%X", b"%04x", b"%x;a=b", b"+%x", b"0x%x", b" %x", b"%x "))


@st.composite
def chunks(draw: st.DrawFn) -> bytes:
    """A chunk, which may not be one."""
    data = draw(text)
    return (draw(sizes) % len(data)) + b"\r\n" + data + draw(st.sampled_from((b"\r\n", b"\n", b"")))


class Parsed:
    """What the parser alone finds in the same bytes."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.body = b""
        self.has_ended = self.has_failed = False
        parser = httptools.HttpResponseParser(self)
        parser.feed_data(HEAD)
        for piece in pieces:
            if self.has_ended:
                return
            try:
                parser.feed_data(piece)
            except httptools.HttpParserError:
                self.has_failed = not self.has_ended
                return

    def on_body(self, data: bytes) -> None:
        """A piece of the body; what follows its end was not requested."""
        if not self.has_ended:
            self.body += data

    def on_message_complete(self) -> None:
        """The end."""
        self.has_ended = True


class Received:
    """What a connection passes on: to a follower, that declines now and then, and to reads."""

    def __init__(self, *, in_pieces: bool = False) -> None:
        self.body = b""
        self.has_failed = False
        self._pieces = 0
        self._take_many = self.take_many if in_pieces else None

    def take(self, data: bytes) -> bool:
        """Take a piece; decline every fifth."""
        self.body += data
        self._pieces += 1
        return self._pieces % 5 > 0

    def take_many(self, pieces: list[bytes]) -> bool:
        """Take the pieces of one read."""
        assert len(pieces) > 1
        assert all(pieces)
        return self.take(b"".join(pieces))

    async def run(self, pieces: Sequence[bytes]) -> None:
        """Receive a response in these pieces, and then the end of the connection."""
        connection = Connection(lambda _: None, lambda _: None)
        connection.connection_made(Open())
        sending = asyncio.ensure_future(connection.send(b""))
        await asyncio.sleep(0)
        connection.data_received(HEAD)
        exchange = await sending

        async def read() -> None:
            try:
                while data := await exchange.read():
                    self.body += data
                    await exchange.follow(self.take, self._take_many)
            except httpx2.TransportError:
                self.has_failed = True

        reading = asyncio.ensure_future(read())
        for piece in pieces:
            await asyncio.sleep(0)
            connection.data_received(piece)
        connection.connection_lost(None)
        await reading


@given(st.lists(chunks() | text, max_size=12), st.lists(st.integers(0, 200), max_size=6))
@example([CHUNK, b"3\r\nabc\r\n", b"0\r\n\r\n"], [])
@example([b"a\r\n5\r\nabcde\r\n\r\n", b"3\r\nabc\r\n", b"0\r\n\r\n"], [3, 13])
@example([CHUNK, b"8\r\n", b"3\r\nabc\r\n", b"\r\n", b"0\r\n\r\n"], [])
@example([CHUNK + b"1", b"3\r\nabc\r\n", b"1\r\nb\r\n"], [])
@example([CHUNK, b"3\r\nabcde", CHUNK], [])
@example([CHUNK, b"+3\r\nabc\r\n", CHUNK], [])
@example([CHUNK, b"0x3\r\nabc\r\n", CHUNK], [])
def test_any_bytes_mean_what_the_parser_finds(parts: list[bytes], cuts: list[int]) -> None:
    """Whole chunks, and cut anywhere: the same body, the same end, the same failures."""
    pieces = [piece for part in parts for piece in cut(part, cuts) if piece]
    expected, received = Parsed(pieces), Received()
    asyncio.run(received.run(pieces))
    assert received.body == expected.body
    assert received.has_failed == (not expected.has_ended)


@given(st.lists(chunks() | text, max_size=12), st.lists(st.integers(0, 300), max_size=4))
@example([CHUNK] * 40 + [b"0\r\n\r\n"], [3, 100, 101])
@example([CHUNK, CHUNK, b"1\r\n\r\n\r\n", CHUNK, b"0\r\n\r\n"], [15])
@example([CHUNK, CHUNK, b"0\r\nx: y\r\n", CHUNK], [20])
@example([CHUNK, CHUNK, b"0\r\n\r\n", HEAD, CHUNK], [])
def test_reads_of_many_chunks_mean_what_the_parser_finds(
    parts: list[bytes], cuts: list[int]
) -> None:
    """Cut anywhere, and passed on in pieces; then a chunk that comes alone."""
    pieces = [*cut(b"".join(parts), cuts), CHUNK, b"0\r\n\r\n"]
    pieces = [piece for piece in pieces if piece]
    expected, received = Parsed(pieces), Received(in_pieces=True)
    asyncio.run(received.run(pieces))
    assert received.body == expected.body
    assert received.has_failed == (not expected.has_ended)


def cut(part: bytes, cuts: list[int]) -> list[bytes]:
    """Cut at these places, as far as there are."""
    places = [0, *sorted({at for at in cuts if at < len(part)}), len(part)]
    return [part[a:b] for a, b in pairwise(places)]
