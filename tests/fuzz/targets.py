"""Fuzz targets: each takes any bytes, and fails if a property is violated.

The same targets run with hypothesis and the stored corpus in ``make test``, and with a
coverage-guided fuzzer in ``make fuzz``. The first byte determines how the rest is split.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

from lambda_asgi.http1 import MAX_HEAD, ProtocolError, Response, ResponseParser
from lambda_asgi.local.http import Incoming, Limits, Outgoing, Server
from tests.fakes.framing import fed
from tokenwire.auth.tickets import Tickets
from tokenwire.dialects import DIALECTS
from tokenwire.errors import ClientError, UpstreamError
from tokenwire.events import Error, Finish, Usage
from tokenwire.providers.bedrock.decode import ConverseReader
from tokenwire.providers.gemini.decode import GeminiReader
from tokenwire.redaction import MAX_TEXT, redact
from tokenwire.sse import BlockTooLarge, Parser, Splitter, without_cursor
from tokenwire.stores.records import Cursor
from tokenwire.streams.framing import Framer

_SMALL = 64


def cuts(data: bytes) -> Iterator[bytes]:
    """Return the bytes after the first, in pieces of the size given by the first."""
    size = data[0] if data else 1
    rest = data[1:]
    step = 1 + size % 32 if size < 224 else max(len(rest), 1)
    return (rest[at : at + step] for at in range(0, len(rest), step))


def sse(data: bytes) -> None:
    """A stream split anywhere has the same events; no block is larger than its bound."""
    complete = Parser().feed(data[1:])
    parser = Parser()
    assert [event for piece in cuts(data) for event in parser.feed(piece)] == complete
    splitter = Splitter(_SMALL)
    with suppress(BlockTooLarge):
        for piece in cuts(data):
            assert all(len(block) <= _SMALL for block in splitter.feed(piece))
        assert len(splitter.close()) <= _SMALL


def framing(data: bytes) -> None:
    """A provider's blocks are complete, in UTF-8, with data, and without the provider's ids."""
    framer = Framer()
    for piece in cuts(data):
        for block in fed(framer, piece):
            block.decode()
            assert [event.last_event_id for event in Parser().feed(block)] == [""]
            assert without_cursor(block) == block


def _dialect(name: str) -> Callable[[bytes], None]:
    def target(data: bytes) -> None:
        """A stream is decoded, encoded in every dialect and folded, or is an upstream error."""
        with suppress(UpstreamError):
            _check_blocks(name, list(fed(Framer(), data)))

    return target


def _check_blocks(name: str, blocks: list[bytes]) -> None:
    with suppress(UpstreamError):
        DIALECTS[name].fold(blocks)
    decoder = DIALECTS[name].decoder()
    encoders = [dialect.encoder() for dialect in DIALECTS.values()]
    for block in blocks:
        notable = decoder.notable(block)
        ends = decoder.ends(block)
        assert notable or not ends
        if ends:
            break
        for event in decoder.decode(block):
            assert notable or not isinstance(event, Error | Finish | Usage), "passed on unread"
            if isinstance(event, Error):
                assert all(encoder.error(event) for encoder in encoders)
                return
            for encoder in encoders:
                encoder.encode(event)
    for encoder in encoders:
        assert encoder.end()


def gemini(data: bytes) -> None:
    """Gemini's stream becomes a Messages stream, or is an upstream error."""
    reader = GeminiReader("m")
    blocks: list[bytes] = []
    with suppress(UpstreamError, BlockTooLarge):
        for piece in cuts(data):
            blocks += reader.feed(piece)
        blocks.append(reader.close())
        _check_blocks("messages", list(fed(Framer(), b"".join(blocks))))


KINDS = (
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
    "metadata",
)


def converse(data: bytes) -> None:
    """Bedrock's events become a Messages stream, or are an upstream error."""
    reader = ConverseReader("r", "m")
    blocks: list[bytes] = []
    with suppress(UpstreamError):
        for line in data.split(b"\n"):
            kind = KINDS[line[0] % len(KINDS)] if line else "x"
            blocks.append(reader.read(kind, line[1:]))
        blocks.append(reader.close())
        _check_blocks("messages", list(fed(Framer(), b"".join(blocks))))


def http_responses(data: bytes) -> None:
    """A response split anywhere is the same response, or none."""
    assert _responses([data[1:]]) == _responses(list(cuts(data)))


def _responses(pieces: list[bytes]) -> Response | None:
    parser = ResponseParser()
    try:
        for piece in pieces:
            if (found := parser.feed(piece)) is not None:
                return found
            assert len(parser._buffer) <= MAX_HEAD + len(piece)
    except ProtocolError:
        pass
    return None


class _Socket(asyncio.Transport):
    """A transport that records written bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep it."""
        self.written += data

    def is_closing(self) -> bool:
        """Whether it was closed."""
        return self.closed

    def close(self) -> None:
        """Close."""
        self.closed = True

    def abort(self) -> None:
        """Close."""
        self.closed = True


async def _echo(incoming: Incoming, outgoing: Outgoing) -> None:
    body = await incoming.read(1024)
    trailers = [item for item in incoming.trailers.items() if item[0].startswith("x-")]
    outgoing.respond(200, [("x-target", incoming.target), *trailers], body or b"")


async def _serve(data: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(loop=loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    socket = _Socket()
    protocol.connection_made(socket)
    for piece in cuts(data):
        reader.feed_data(piece)
    reader.feed_eof()
    writer = asyncio.StreamWriter(socket, protocol, reader, loop)
    await Server(_echo, Limits(head=1024)).serve_connection(reader, writer)
    return bytes(socket.written)


def http_requests(data: bytes) -> None:
    """Any bytes to the local HTTP front end get an HTTP response, or none."""
    written = asyncio.run(_serve(data))
    assert not written or written.startswith((b"HTTP/1.1 ", b"HTTP/1.0 "))
    assert b" 500 " not in written[:16]


async def _secret() -> bytes:
    return b"0123456789abcdef"


def words(data: bytes) -> None:
    """Any text as a cursor, a ticket or an error's text is accepted, or refused with a code."""
    text = data.decode("latin-1")
    with suppress(ClientError):
        assert str(Cursor.parse(text).last) in text.replace("00", "0") or "0" in text
    with suppress(ClientError):
        asyncio.run(Tickets(_secret, 60).verify("st_x", text))
        raise AssertionError("a forged ticket")
    key = base64.b32encode(data[:10]).decode().strip("=")
    shown = redact(f"{text} {key}{text}", [key])
    assert len(shown) <= MAX_TEXT
    assert len(key) < 8 or key not in shown


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    "sse": sse,
    "framing": framing,
    **{name: _dialect(name) for name in DIALECTS},
    "gemini": gemini,
    "converse": converse,
    "http_responses": http_responses,
    "http_requests": http_requests,
    "words": words,
}
