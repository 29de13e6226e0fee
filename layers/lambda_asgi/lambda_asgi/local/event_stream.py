"""Frames of ``application/vnd.amazon.eventstream``, as ``InvokeWithResponseStream`` sends them.

A frame is: its length and its headers' length (32 bits each), the CRC-32 of these eight bytes,
the headers, the payload, and the CRC-32 of everything before.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from zlib import crc32

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_OVERHEAD = 16
_STRING = 7
"""The type of a header's value: a string with a 16-bit length."""


def event(kind: str, payload: bytes, content_type: str) -> bytes:
    """One event of this type."""
    headers = {":event-type": kind, ":content-type": content_type, ":message-type": "event"}
    return frame(headers, payload)


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One frame with string headers."""
    fields = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    start = struct.pack(">II", _OVERHEAD + len(fields) + len(payload), len(fields))
    message = start + struct.pack(">I", crc32(start)) + fields + payload
    return message + struct.pack(">I", crc32(message))


def _header(name: bytes, value: bytes) -> bytes:
    return struct.pack(">B", len(name)) + name + struct.pack(">BH", _STRING, len(value)) + value
