"""Event-stream frames, byte by byte."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from botocore.eventstream import EventStreamBuffer

from lambda_asgi.local.event_stream import event, frame


def test_empty_frame_is_sixteen_bytes() -> None:
    """The published example: lengths, their CRC-32, and the CRC-32 of all before."""
    assert frame({}, b"").hex() == "000000100000000005c248eb7d98c8ff"


def test_frame_with_a_header() -> None:
    """Name with its length, type 7, value with its length."""
    found = frame({"a": "bc"}, b"xyz")

    assert found[:8] == b"\0\0\0\x1a" + b"\0\0\0\x07"
    assert found[12:19] == b"\x01a\x07\x00\x02bc"
    assert found[19:22] == b"xyz"
    assert int.from_bytes(found[8:12], "big") == crc32(found[:8])
    assert int.from_bytes(found[-4:], "big") == crc32(found[:-4])


def test_botocore_reads_events() -> None:
    """Several in one buffer, cut anywhere."""
    data = event("PayloadChunk", b"\x00\xff", "application/octet-stream") * 2
    buffer = EventStreamBuffer()
    found: list[Any] = []
    for at in range(len(data)):
        buffer.add_data(data[at : at + 1])
        found += list(buffer)

    assert [message.payload for message in found] == [b"\x00\xff"] * 2
    assert found[0].headers == {
        ":event-type": "PayloadChunk",
        ":content-type": "application/octet-stream",
        ":message-type": "event",
    }
