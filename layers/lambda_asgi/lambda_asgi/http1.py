"""The part of HTTP/1.1 (RFC 9112) that the Lambda Runtime API uses. Sans-IO, bounded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_HEAD = 256 * 1024
MAX_BODY = 16 * 1024 * 1024
"""Bytes. An event is at most 6 MB; a response's head may hold a client context."""

_MAX_CHUNK_LINE = 256
# Far beyond any length, and below that at which int() refuses.
_MAX_DIGITS = 15


class ProtocolError(Exception):
    """The peer does not speak HTTP/1.1 as read here, or exceeds a bound."""


@dataclass(frozen=True, slots=True)
class Head:
    """A start line and its headers; header names in lower case, in the order they came."""

    start: str
    headers: tuple[tuple[str, str], ...]

    def get(self, name: str, default: str = "") -> str:
        """The values of a header, joined as in RFC 9110 §5.3."""
        values = [value for found, value in self.headers if found == name]
        return ", ".join(values) if values else default

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks."""
        return "chunked" in self.get("transfer-encoding").lower()

    @property
    def length(self) -> int:
        """The body's ``Content-Length`` in bytes; 0 where none is given.

        Raises:
            ProtocolError: It is not a number.
        """
        text = self.get("content-length", "0")
        if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
            raise ProtocolError("the Content-Length is not a number")
        return int(text)


def parse_head(block: bytes) -> Head:
    """Read a head; ``block`` is everything before the empty line.

    Raises:
        ProtocolError: A line is not a header.
    """
    start, *lines = block.decode("latin-1").split("\r\n")
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise ProtocolError("a line of the head is not a header")
        headers.append((name.lower(), value.strip()))
    return Head(start, tuple(headers))


def parse_chunk_size(line: bytes) -> int:
    """The size that a chunk's first line gives, in bytes.

    Raises:
        ProtocolError: It gives none.
    """
    digits = line.partition(b";")[0].strip()
    if not digits or digits.strip(b"0123456789abcdefABCDEF") or len(digits) > _MAX_DIGITS:
        raise ProtocolError("not a chunk")
    return int(digits, 16)


@dataclass(frozen=True, slots=True)
class Response:
    """A complete response."""

    status: int
    head: Head
    body: bytes = b""

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection may carry another request."""
        closes = self.head.get("connection").lower() == "close"
        return self.head.start.startswith("HTTP/1.1") and not closes


@dataclass(slots=True)
class ResponseParser:
    """Reads one response; bytes may come cut anywhere. Make a new one for the next."""

    _buffer: bytearray = field(default_factory=bytearray)
    _searched: int = 0
    _head: Head | None = None
    _body: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> Response | None:
        """Take the next bytes; the response, once it is complete.

        Raises:
            ProtocolError: It is malformed, or larger than we accept.
        """
        self._buffer += data
        head = self._head or self._read_head()
        if head is None:
            return None
        complete = self._read_chunks() if head.is_chunked else self._read_length(head)
        return Response(int(head.start[9:12]), head, bytes(self._body)) if complete else None

    def _read_head(self) -> Head | None:
        end = self._buffer.find(b"\r\n\r\n", max(self._searched - 3, 0))
        self._searched = len(self._buffer)
        # A head at the bound may have a part of the empty line after it.
        if (end if end >= 0 else len(self._buffer) - 3) > MAX_HEAD:
            raise ProtocolError("the head is too large")
        if end < 0:
            return None
        head = parse_head(bytes(self._buffer[:end]))
        status = head.start[9:12]
        if head.start[:9] not in ("HTTP/1.1 ", "HTTP/1.0 ") or not status.encode().isdigit():
            raise ProtocolError("not an HTTP response")
        del self._buffer[: end + 4]
        self._head = head
        return head

    def _read_length(self, head: Head) -> bool:
        if head.length > MAX_BODY:
            raise ProtocolError("the body is too large")
        missing = head.length - len(self._body)
        self._body += self._buffer[:missing]
        del self._buffer[:missing]
        return len(self._body) == head.length

    def _read_chunks(self) -> bool:
        while 0 <= (end := self._buffer.find(b"\r\n")) <= _MAX_CHUNK_LINE:
            size = parse_chunk_size(bytes(self._buffer[:end]))
            if len(self._body) + size > MAX_BODY:
                raise ProtocolError("the body is too large")
            if len(self._buffer) < end + 2 + size + 2:
                return False
            if size and self._buffer[end + 2 + size : end + 4 + size] != b"\r\n":
                raise ProtocolError("a chunk is longer than its size")
            self._body += self._buffer[end + 2 : end + 2 + size]
            del self._buffer[: end + 2 + size + 2]
            if size == 0:
                return True
        # A line at the bound may have half of its line end.
        if len(self._buffer) > _MAX_CHUNK_LINE + 1:
            raise ProtocolError("not a chunk")
        return False


def request(
    method: str, target: str, host: str, headers: Mapping[str, str], body: bytes = b""
) -> bytes:
    """A complete request with a ``Content-Length``."""
    return _head(method, target, host, {**headers, "Content-Length": str(len(body))}) + body


def streamed_head(target: str, host: str, headers: Mapping[str, str]) -> bytes:
    """The head of a POST whose body follows in chunks."""
    return _head("POST", target, host, {**headers, "Transfer-Encoding": "chunked"})


def _head(method: str, target: str, host: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def chunk(data: bytes) -> bytes:
    """One chunk; nothing for no data, since an empty chunk would end the body."""
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""


def last_chunk(trailers: Mapping[str, str] | None = None) -> bytes:
    """The end of a chunked body, with its trailer section (RFC 9112 §7.1.2)."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in (trailers or {}).items())
    return b"0\r\n" + lines.encode("latin-1") + b"\r\n"
