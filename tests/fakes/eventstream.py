"""AWS's binary event stream, written: what Bedrock sends. Read by botocore's own parser."""

from __future__ import annotations

import json
import struct
from binascii import crc32
from pathlib import Path


def message(kind: str, payload: object) -> bytes:
    """One event; a kind that begins with ``!`` is an exception.

    https://smithy.io/2.0/aws/amazon-eventstream.html
    """
    is_error = kind.startswith("!")
    headers = {
        ":exception-type" if is_error else ":event-type": kind.lstrip("!"),
        ":content-type": "application/json",
        ":message-type": "exception" if is_error else "event",
    }
    head = b"".join(_header(name, value) for name, value in headers.items())
    body = json.dumps(payload, ensure_ascii=False).encode()
    prelude = struct.pack(">II", len(head) + len(body) + 16, len(head))
    start = prelude + struct.pack(">I", crc32(prelude)) + head + body
    return start + struct.pack(">I", crc32(start))


def _header(name: str, value: str) -> bytes:
    text = value.encode()
    return bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(text)) + text


def recorded(path: Path) -> bytes:
    """A recording's events, as bytes; its first line names its source."""
    _, *lines = path.read_text().splitlines()
    return b"".join(message(*json.loads(line)) for line in lines)
