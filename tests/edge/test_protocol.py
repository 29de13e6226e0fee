"""The protocol on a transport that sends nothing: closed connections are aborted in the end."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from tokenwire.hotpath import ON_DISCONNECT, WRITE, OnDisconnect
from tokenwire.server import Config
from tokenwire.server.protocol import BoundedProtocol
from tokenwire.settings import Settings

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


class Stuck(asyncio.Transport):
    """A transport whose client reads nothing: closing never finishes."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []
        self.aborted = asyncio.Event()
        self._is_closing = False

    def write(self, data: Any) -> None:
        """Discard the bytes."""
        self.writes.append(bytes(data))

    @property
    def written(self) -> bytes:
        """All bytes."""
        return b"".join(self.writes)

    def close(self) -> None:
        """Start to close."""
        self._is_closing = True

    def is_closing(self) -> bool:
        """Return whether closing has started."""
        return self._is_closing

    def abort(self) -> None:
        """Abort the connection."""
        self.aborted.set()

    def pause_reading(self) -> None:
        """Do nothing: the client reads nothing."""

    def resume_reading(self) -> None:
        """Do nothing: the client reads nothing."""


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"page"})


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    """Start a response and return."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"pa", "more_body": True})


async def connected(app: Any) -> tuple[BoundedProtocol, Stuck]:
    """A connection to an app, with a tenth of a second to accept what is sent."""
    config = Config(app, Settings(send_timeout=0.1))
    protocol, transport = BoundedProtocol(config, ServerState(), {}), Stuck()
    protocol.connection_made(transport)
    return protocol, transport


async def answered(protocol: BoundedProtocol) -> None:
    """Send a request, and wait until the app has returned."""
    protocol.data_received(GET)
    await asyncio.gather(*protocol.tasks)


async def test_idle_connection_is_cut() -> None:
    """Unread data does not keep a closed keep-alive connection open."""
    protocol, transport = await connected(page)
    await answered(protocol)
    protocol.timeout_keep_alive_handler()
    await asyncio.wait_for(transport.aborted.wait(), 10)
    assert b"page" in transport.written
    protocol.connection_lost(None)


@pytest.mark.parametrize("end", ["incomplete", "refused", "left", "paused"])
async def test_closed_connection_is_cut(end: str) -> None:
    """The same holds after an incomplete response, a refusal, and a disconnect."""
    protocol, transport = await connected(broken if end == "incomplete" else page)
    if end == "incomplete":
        await answered(protocol)
    elif end == "refused":
        protocol.data_received(b"\x00")
    elif end == "left":
        protocol.eof_received()
    else:
        protocol.pause_writing()
    await asyncio.wait_for(transport.aborted.wait(), 10)
    protocol.connection_lost(None)


async def test_head_and_first_part_are_one_write() -> None:
    """A write is a system call, and a packet."""
    protocol, transport = await connected(page)
    await answered(protocol)

    assert len(transport.writes) == 1
    assert transport.written.startswith(b"HTTP/1.1 200 OK\r\n")
    assert transport.written.endswith(b"4\r\npage\r\n0\r\n\r\n")
    protocol.connection_lost(None)


async def test_head_does_not_wait_for_a_body() -> None:
    """A head without a part that follows at once is sent alone, and the part after it."""
    may_go_on = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await may_go_on.wait()
        assert scope["extensions"][WRITE](b"late")
        await send({"type": "http.response.body"})

    protocol, transport = await connected(slow)
    protocol.data_received(GET)
    while not transport.writes:
        await asyncio.sleep(0)
    head = transport.written
    may_go_on.set()
    await asyncio.gather(*protocol.tasks)

    assert head.endswith(b"\r\n\r\n")
    assert transport.writes[1:] == [b"4\r\nlate\r\n", b"0\r\n\r\n"]
    protocol.connection_lost(None)


async def test_head_is_sent_before_the_connection_closes() -> None:
    """Also that of a response without a body, such as HEAD's; and in the order of the requests."""
    protocol, transport = await connected(page)
    head = b"HEAD / HTTP/1.1\r\nHost: a\r\n"
    protocol.data_received(head + b"\r\n" + head + b"Connection: close\r\n\r\n")
    while not transport.is_closing():
        await asyncio.sleep(0)

    assert [write.count(b"HTTP/1.1 200 OK") for write in transport.writes] == [1, 1]
    assert b"connection: close" in transport.writes[1]
    assert b"connection: close" not in transport.writes[0]
    protocol.connection_lost(None)


async def test_client_that_catches_up_is_not_cut() -> None:
    """Only a connection that accepts nothing for the complete time-out is aborted."""
    protocol, transport = await connected(page)
    protocol.pause_writing()
    protocol.resume_writing()
    await asyncio.sleep(0.3)
    assert not transport.aborted.is_set()
    protocol.connection_lost(None)


@pytest.mark.parametrize("when", ["before", "after", "never"])
async def test_disconnect_calls_back(when: str) -> None:
    """Once, and at once if the client has left already; reading goes on after a paused body."""
    called: list[bool] = []
    has_registered, may_end = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if when == "before":
            protocol.connection_lost(None)
        protocol.flow.pause_reading()
        on_disconnect: OnDisconnect = scope["extensions"][ON_DISCONNECT]
        on_disconnect(lambda: called.append(protocol.flow.read_paused))
        if when == "never":
            on_disconnect(None)
        has_registered.set()
        await may_end.wait()

    protocol, _ = await connected(app)
    protocol.data_received(GET)
    await has_registered.wait()
    if when != "before":
        assert called == []
        protocol.connection_lost(None)
    assert called == ([] if when == "never" else [False])
    may_end.set()
    await asyncio.gather(*protocol.tasks)


@pytest.mark.outside
async def test_files_are_enough_for_the_connections() -> None:
    """A process raises its file limit and accepts no more connections than files."""
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (100, 264));"
        "from tokenwire.server.limits import possible_connections as possible;"
        "print(possible(), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out.split() == [b"100", b"264"]
