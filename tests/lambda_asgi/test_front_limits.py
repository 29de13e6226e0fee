"""The local function URL's front door: its limits, and how it writes header fields."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeAlias

import pytest

from lambda_asgi import wire
from lambda_asgi.cycle import Request, buffered
from lambda_asgi.local.http import Incoming, Limits, Outgoing, Serve, Server
from lambda_asgi.types import Message, Receive, Scope, Send
from tests.edge.wire import Wire

Dial: TypeAlias = Callable[[], Awaitable[Wire]]
Listen: TypeAlias = Callable[..., Awaitable[Dial]]
SPLIT = "x\r\nSet-Cookie: stolen=1\r\n\r\n<html>"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"


async def echo(incoming: Incoming, outgoing: Outgoing) -> None:
    """Answer with the size of the body."""
    body = await incoming.read(1000)
    outgoing.respond(200, [], b"%d" % len(body or b""))


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    """Starts a front door with these limits; gives a way to call it."""
    async with AsyncExitStack() as stack:

        async def start(serve: Serve = echo, limits: Limits | None = None) -> Dial:
            server = Server(serve, limits or Limits(head=4096, head_seconds=0.3, body_seconds=0.3))
            port = await server.listen("127.0.0.1", 0)
            stack.callback(server.close)

            async def dial() -> Wire:
                wire = Wire(*await asyncio.open_connection("127.0.0.1", port))
                stack.callback(wire.close)
                return wire

            return dial

        yield start
    await asyncio.sleep(0)


async def test_large_head_is_refused(listen: Listen) -> None:
    """A head beyond the limit is a 431."""
    wire = await (await listen())()
    await wire.send(b"GET / HTTP/1.1\r\nX: " + b"y" * 5000 + b"\r\n\r\n")

    assert await asyncio.wait_for(wire.status(), 10) == 431


async def test_half_heads_are_closed(listen: Listen) -> None:
    """Of 50 half heads none is open after the deadline, and each client gets an error."""
    dial = await listen()
    wires = [await dial() for _ in range(50)]
    for one in wires:
        await one.send(b"GET / HTTP/1.1\r\nX: y")

    statuses = await asyncio.wait_for(asyncio.gather(*(one.status() for one in wires)), 20)

    assert statuses == [408] * 50


async def test_idle_connection_is_closed_in_silence(listen: Listen) -> None:
    """Without a request there is nothing to answer: a 408 would be taken for the next answer."""
    wire = await (await listen())()
    await wire.send(GET)
    received = await asyncio.wait_for(wire.rest(), 10)

    assert received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "slow",
    [
        b"Content-Length: 100\r\n\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n",
    ],
)
async def test_slow_body_is_closed(listen: Listen, slow: bytes) -> None:
    """A body that does not arrive in time is a 408."""
    wire = await (await listen())()
    await wire.send(POST + slow)

    assert await asyncio.wait_for(wire.status(), 10) == 408


async def test_endless_body_is_closed(listen: Listen) -> None:
    """A body without an end is read, but not kept, until its time is up."""
    wire = await (await listen())()
    await wire.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    async with asyncio.timeout(20):
        while await wire.send(b"8000\r\n" + b"x" * 0x8000 + b"\r\n"):
            pass


async def test_trailers_are_counted(listen: Listen) -> None:
    """A trailer section of more than 128 fields is malformed."""
    wire = await (await listen())()
    fields = b"".join(b"X-%d: y\r\n" % n for n in range(129))
    await wire.send(POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + fields + b"\r\n")

    assert await asyncio.wait_for(wire.status(), 10) == 400


async def served(one: Wire) -> bool:
    """Return whether a request gets its response."""
    await one.send(GET)
    response = await asyncio.wait_for(one.reader.readuntil(b"\r\n\r\n0"), 10)
    return response.startswith(b"HTTP/1.1 200")


async def test_connections_are_counted(listen: Listen) -> None:
    """Beyond the limit a connection is closed; those that are open are served."""
    dial = await listen(echo, Limits(head_seconds=5, connections=3))
    wires = [await dial() for _ in range(3)]
    for one in wires:
        assert await served(one)
    above = await dial()

    assert await asyncio.wait_for(above.rest(), 10) == b""
    for one in wires:
        assert await served(one)


async def test_front_writes_one_field_a_line(listen: Listen) -> None:
    """CR and LF in a value end no field, and a name that is no token is not written."""

    async def split(_: Incoming, outgoing: Outgoing) -> None:
        outgoing.respond(200, [("x-model", SPLIT), ("x\r\ny", "z"), ("connection", "close")])

    wire = await (await listen(split))()
    await wire.send(GET)

    lines = (await wire.rest()).split(b"\r\n")
    assert b"x-model: x  Set-Cookie: stolen=1    <html>" in lines
    assert lines[-2:] == [b"", b""]
    assert len(lines) == 6


def test_prelude_has_no_control_characters() -> None:
    """What Lambda gets as the head of a streamed response cannot end a field early."""
    fields = [(b"x-model", SPLIT.encode()), (b"a b", b"c"), (b"set-cookie", b"a=1\r\nx: y")]

    head = json.loads(wire.prelude(200, fields).rstrip(b"\0"))

    assert head["headers"] == {"x-model": "x  Set-Cookie: stolen=1    <html>"}
    assert head["cookies"] == ["a=1  x: y"]


async def test_buffered_response_has_no_control_characters() -> None:
    """Nor can what Mangum gets."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {"type": "http.response.start", "status": 200}
        await send({**start, "headers": [(b"x-model", SPLIT.encode())]})
        await send({"type": "http.response.body", "body": b""})

    whole = await buffered(app, {"method": "GET"}, Request(b""))

    assert whole["headers"] == [[b"x-model", b"x  Set-Cookie: stolen=1    <html>"]]
