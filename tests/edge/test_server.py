"""Limits of the server before a request is complete, and beside it."""

from __future__ import annotations

import asyncio

import pytest

from tests.conftest import Serve

from .wire import Dial, request

HEALTH = request("GET", "/healthz")
HEAD = b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\n"


def padded(size: int) -> bytes:
    """Return a complete header of this size."""
    start, end = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Pad: ", b"\r\n\r\n"
    return start + b"x" * (size - len(start) - len(end)) + end


async def test_head_at_its_limit_is_served(serve: Serve, dial: Dial) -> None:
    """A header of exactly ``max_head_bytes`` is served; one byte more is a 431."""
    client = await serve(TOKENWIRE_MAX_HEAD_BYTES="4096")
    exact, above = await dial(client), await dial(client)
    await exact.send(padded(4096))
    await above.send(padded(4097))

    assert (await exact.reader.readline()).startswith(b"HTTP/1.1 200")
    assert await above.status() == 431


async def test_endless_header_is_cut_off(serve: Serve, dial: Dial) -> None:
    """Of a 96 MB header field, the server reads up to the limit and closes the connection."""
    client = await serve()
    wire = await dial(client)
    await wire.send(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
    taken = 0
    while taken < 96 * 1024 * 1024 and await wire.send(b"x" * 65536):
        taken += 65536

    # Bytes in the sockets' buffers were sent, but not read.
    assert taken < 16 * 1024 * 1024


@pytest.mark.parametrize(
    "endless",
    [
        b"GET /" + b"a" * 70_000,
        b"\r\n" * 40_000,
        HEAD + b"".join(b"X-%d: y\r\n" % n for n in range(200)),
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 200,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: " + b"y" * 200_000,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;" + b"y" * 200_000,
    ],
    ids=["target", "empty lines", "fields", "trailer fields", "trailer", "chunk extension"],
)
async def test_endless_parts_close_the_connection(serve: Serve, dial: Dial, endless: bytes) -> None:
    """Every part of a request that the server stores or counts is bounded."""
    wire = await dial(await serve())
    await wire.send(endless)

    await asyncio.wait_for(wire.rest(), 20)


async def test_half_heads_are_closed(serve: Serve, dial: Dial) -> None:
    """Of 100 connections with half a header, or with nothing, none is open after the deadline."""
    client = await serve(TOKENWIRE_TIMEOUT_HEAD="0.5")
    wires = [await dial(client) for _ in range(100)]
    for number, wire in enumerate(wires):
        await wire.send(b"GET / HTTP/1.1\r\nX: y" if number % 2 else b"")

    result = await asyncio.wait_for(asyncio.gather(*(wire.rest() for wire in wires)), 30)

    assert [one[9:12] for one in result] == [b"", b"408"] * 50
    assert (await client.get("/healthz")).status_code == 200


async def test_dribbled_head_is_closed(serve: Serve, dial: Dial) -> None:
    """The deadline is for the complete header; single bytes do not extend it."""
    wire = await dial(await serve(TOKENWIRE_TIMEOUT_HEAD="0.5"))
    async with asyncio.timeout(20):
        while await wire.send(b"X"):
            await asyncio.sleep(0.05)


async def test_slow_bodies_are_closed(serve: Serve, dial: Dial) -> None:
    """A body that does not arrive in time is a 408, and its connection is closed."""
    client = await serve(TOKENWIRE_TIMEOUT_BODY="0.5")
    wires = [await dial(client) for _ in range(20)]
    for wire in wires:
        await wire.send(HEAD + b"Content-Length: 1000\r\n\r\n{")

    assert [await asyncio.wait_for(wire.status(), 20) for wire in wires] == [408] * 20


async def test_body_after_a_refusal_is_closed(serve: Serve, dial: Dial) -> None:
    """A client that continues to send a refused body is disconnected, too."""
    client = await serve(TOKENWIRE_TIMEOUT_BODY="0.5", TOKENWIRE_API_KEYS="a-key-of-some-length")
    wire = await dial(client)
    await wire.send(HEAD + b"Content-Length: 9999999\r\n\r\n")

    assert (await wire.reader.readline()).startswith(b"HTTP/1.1 401")
    async with asyncio.timeout(20):
        while await wire.send(b"x"):
            await asyncio.sleep(0.05)


async def test_waiting_connections_make_room(serve: Serve, dial: Dial) -> None:
    """At the limit a new connection is served, and the one that has waited longest is closed."""
    client = await serve(TOKENWIRE_MAX_CONNECTIONS="10", TOKENWIRE_TIMEOUT_HEAD="60")
    idle = [await dial(client) for _ in range(30)]
    wire = await dial(client)
    await wire.send(HEALTH)

    assert (await asyncio.wait_for(wire.reader.readline(), 20)).startswith(b"HTTP/1.1 200")
    closed = await asyncio.gather(*(asyncio.wait_for(w.rest(), 5) for w in idle[:21]))
    assert closed == [b""] * 21
    assert not any(w.reader.at_eof() for w in idle[21:])


async def test_answered_connections_stay(serve: Serve, dial: Dial) -> None:
    """If every connection has a stream, a new connection is closed and the streams continue."""
    client = await serve(TOKENWIRE_MAX_CONNECTIONS="2")
    ask = request("POST", "/api/stream", b'{"message":"hi /stall 600"}')
    streams = [await dial(client), await dial(client)]
    for wire in streams:
        await wire.send(ask)
        await wire.reader.readuntil(b'"type":"start"')
    third = await dial(client)

    assert await asyncio.wait_for(third.rest(), 20) == b""
    assert not any(wire.reader.at_eof() for wire in streams)


async def test_pipelined_requests_are_bounded(serve: Serve, dial: Dial) -> None:
    """A few pipelined requests wait for a stream; thousands close the connection."""
    client = await serve()
    wire = await dial(client)
    await wire.send(HEALTH * 3)
    for _ in range(3):
        assert (await wire.reader.readuntil(b'"ok"}')).startswith(b"HTTP/1.1 200")
    await wire.send(request("POST", "/api/stream", b'{"message":"hi /stall 600"}'))
    await wire.reader.readuntil(b'"type":"start"')
    await wire.send(HEALTH * 5000)

    rest = await asyncio.wait_for(wire.rest(), 20)

    assert not rest.endswith(b"0\r\n\r\n")


async def test_stray_line_does_not_end_a_stream(serve: Serve, dial: Dial) -> None:
    """An empty line after a body does not start a deadline during the stream."""
    client = await serve(TOKENWIRE_TIMEOUT_HEAD="0.3", TOKENWIRE_HEARTBEAT="0.2")
    wire = await dial(client)
    await wire.send(request("POST", "/api/stream", b'{"message":"hi /stall 600"}') + b"\r\n")
    await wire.send(b"\r\n")
    for _ in range(5):
        await asyncio.wait_for(wire.reader.readuntil(b": ping\n"), 20)


async def test_upgrade_is_answered_as_a_request(serve: Serve, dial: Dial) -> None:
    """A WebSocket upgrade is ignored, and the request is answered."""
    wire = await dial(await serve())
    upgrade = "Connection: upgrade", "Upgrade: websocket"
    await wire.send(request("GET", "/healthz", b"", *upgrade))

    assert (await asyncio.wait_for(wire.reader.readline(), 20)).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    "garbage", [b"\x00\xff\x13\x37\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9\r\n"]
)
async def test_malformed_requests_are_a_400(serve: Serve, dial: Dial, garbage: bytes) -> None:
    """Data that is not HTTP is refused immediately."""
    wire = await dial(await serve())
    await wire.send(garbage)

    assert await asyncio.wait_for(wire.status(), 20) == 400


async def test_unread_page_is_given_up(serve: Serve, dial: Dial) -> None:
    """A client that sends requests and reads nothing is disconnected."""
    client = await serve(TOKENWIRE_SEND_TIMEOUT="0.3")
    wire = await dial(client)
    wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
    async with asyncio.timeout(30):
        while await wire.send(request("GET", "/tokenwire.js")):
            await asyncio.sleep(0.01)
