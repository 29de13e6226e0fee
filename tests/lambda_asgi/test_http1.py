"""The HTTP/1.1 of the Runtime API, byte by byte."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambda_asgi import http1, wire
from lambda_asgi.http1 import Head, ProtocolError, Response, ResponseParser

LENGTH = b"HTTP/1.1 200 OK\r\nX-Name:  a b \r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;ext=1\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
)


@pytest.mark.parametrize("raw", [LENGTH, CHUNKED])
def test_every_cut_reads_the_same(raw: bytes) -> None:
    """A response is whole with its last byte, and not before, wherever it was cut."""
    for at in range(len(raw)):
        parser = ResponseParser()
        assert parser.feed(raw[:at]) is None
        found = parser.feed(raw[at:])
        assert found is not None
        assert (found.status, found.body) == (200, b"hello")
    parser = ResponseParser()
    got = [parser.feed(raw[n : n + 1]) for n in range(len(raw))]
    assert [found.body for found in got if found is not None] == [b"hello"]


def test_header_names_are_lowered() -> None:
    """Names in lower case, values without the space around them."""
    found = ResponseParser().feed(LENGTH)
    assert found is not None
    assert found.head.get("x-name") == "a b"
    assert found.keeps_alive
    closing = Head("HTTP/1.1 200 OK", (("connection", "Close"),))
    assert not Response(200, closing).keeps_alive


def test_no_length_means_no_body() -> None:
    """As in a 202 of some emulators."""
    found = ResponseParser().feed(b"HTTP/1.1 202 Accepted\r\n\r\n")
    assert found == Response(202, Head("HTTP/1.1 202 Accepted", ()), b"")


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff\r\n",
        b"x" * (http1.MAX_HEAD + 4),  # three may be of the empty line after it
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * http1.MAX_HEAD + b"\r\n\r\n",
    ],
)
def test_malformed_is_refused(raw: bytes) -> None:
    """What is not HTTP, or too large, is an error and not a hang."""
    with pytest.raises(ProtocolError):
        ResponseParser().feed(raw)


OK = b"HTTP/1.1 200 OK\r\n"
IN_CHUNKS = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        "HTTP/1.1 2\u00b9\u00b2 OK\r\n\r\n".encode("latin-1"),  # digits to str, not to int
        OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",  # more digits than int() takes
        OK + b"Content-Length: 9999999999999999\r\n\r\n",
        IN_CHUNKS + b"2;" + b"x" * 300 + b"\r\nde\r\n0\r\n\r\n",  # found by make fuzz
        IN_CHUNKS + b"2\r\ndefg\r\n0\r\n\r\n",
        IN_CHUNKS + b"f" * 16 + b"\r\n",
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_what_the_bounds_forbid_is_refused_at_every_cut(raw: bytes, size: int) -> None:
    """Whole or in pieces, a response beyond a bound is an error of the protocol and no other."""
    pieces = [raw[at : at + size] for at in range(0, len(raw), size)]
    with pytest.raises(ProtocolError):
        _fed(pieces)


def _fed(pieces: list[bytes]) -> None:
    parser = ResponseParser()
    for piece in pieces:
        parser.feed(piece)


@pytest.mark.parametrize("size", [1, 2, 3, 300_000])
@pytest.mark.parametrize(
    ("begin", "end", "bound"),
    [
        (OK + b"A: ", b"\r\n\r\n", http1.MAX_HEAD - len(OK) - 3),
        (IN_CHUNKS + b"2;", b"\r\nde\r\n0\r\n\r\n", 256 - 2),
    ],
    ids=["head", "chunk line"],
)
def test_bounds_are_the_same_for_any_cut(begin: bytes, end: bytes, bound: int, size: int) -> None:
    """At the bound a line is taken, one byte beyond it is not: whole, or cut in its line end."""
    for over in (0, 1):
        line = begin + b"x" * (bound + over)
        pieces = [line, *(end[at : at + size] for at in range(0, len(end), size))]
        taken = True
        parser = ResponseParser()
        try:
            found = [parser.feed(piece) for piece in pieces]
        except ProtocolError:
            taken = False
        assert taken == (not over)
        assert not taken or found[-1] is not None


@pytest.mark.parametrize("length", [0, 2])
def test_what_follows_a_body_is_no_part_of_it(length: int) -> None:
    """The body is as long as the head says, however the bytes are cut."""
    found = ResponseParser().feed(OK + b"Content-Length: %d\r\n\r\nhello" % length)
    assert found is not None
    assert found.body == b"hello"[:length]


def test_a_head_in_many_pieces_is_searched_once() -> None:
    """Twice the pieces, twice the steps: what was searched is not searched again."""

    class Counted(bytearray):
        """A buffer that counts how much of it is searched."""

        searched = 0

        def find(self, sub: Any, start: Any = 0, end: Any = None, /) -> int:
            Counted.searched += len(self) - start
            return super().find(sub, start)

    parser = ResponseParser(Counted())
    for _ in range(1000):
        assert parser.feed(b"a: b\r\n") is None

    assert Counted.searched < 20 * 1000


def test_requests_as_bytes() -> None:
    """A whole request, a streamed head, chunks and trailers."""
    assert http1.request("POST", "/p", "h:1", {"A": "b"}, b"xy") == (
        b"POST /p HTTP/1.1\r\nHost: h:1\r\nA: b\r\nContent-Length: 2\r\n\r\nxy"
    )
    assert http1.streamed_head("/p", "h", {}) == (
        b"POST /p HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    assert http1.chunk(b"x" * 17) == b"11\r\n" + b"x" * 17 + b"\r\n"
    assert http1.chunk(b"") == b""
    assert http1.last_chunk() == b"0\r\n\r\n"
    assert http1.last_chunk({"A": "b"}) == b"0\r\nA: b\r\n\r\n"


def test_prelude_bytes() -> None:
    """JSON, then eight NULs; nothing of the framing's own headers."""
    headers = [(b"X-A", b"1"), (b"Connection", b"close"), (b"Set-Cookie", b"c=\xe9")]
    prelude, end = wire.prelude(204, headers)[:-8], wire.prelude(204, headers)[-8:]
    assert json.loads(prelude) == {"statusCode": 204, "headers": {"x-a": "1"}, "cookies": ["c=é"]}
    assert end == b"\0" * 8


@pytest.mark.parametrize(
    ("kind", "kept"),
    [
        ("ValueError", "Function.ValueError"),
        ("Runtime.Timeout", "Runtime.Timeout"),
        ("my.error_2", "Function.Myerror"),
        ("_", "Function.Error"),
    ],
)
def test_error_types_are_ones_lambda_keeps(kind: str, kept: str) -> None:
    """Lambda calls every other form Runtime.Unknown."""
    assert wire.error_type(kind) == kept
