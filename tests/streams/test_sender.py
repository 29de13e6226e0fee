"""The sender: how the writes of a viewer reach one client, and how its body ends."""

from __future__ import annotations

import asyncio

from tests.fakes.upstream import ROLE, text
from tokenwire.dialects import chat
from tokenwire.events import Error
from tokenwire.hotpath import Write
from tokenwire.stores.records import End, EndReason
from tokenwire.streams.blocks import Bounds
from tokenwire.streams.rendering import Verbatim
from tokenwire.streams.sender import Sender
from tokenwire.streams.tail import Tail
from tokenwire.streams.viewer import Delivery, Viewer

DONE = End(EndReason.DONE, block=b"data:[DONE]\n\n")
LAST = b"id: 1-2\ndata:[DONE]\n\n"


class Body:
    """The parts of a body, and whether more follows each, as ASGI's ``more_body``."""

    def __init__(self) -> None:
        self.parts: list[tuple[bytes, bool]] = []

    async def send(self, data: bytes, more: bool) -> None:
        """Take a part for which a client may have to be waited for."""
        self.parts.append((data, more))

    def write(self, data: bytes) -> bool:
        """Take a part at once."""
        self.parts.append((data, True))
        return True


async def sent(tail: Tail, body: Body, write: Write | None, *, stop: bool = False) -> None:
    """Send a log to its end."""
    with tail.attach(1) as reader:
        viewer = Viewer(reader, Verbatim(chat.DIALECT.encoder()), delivery := Delivery())
        sender = Sender(reader, viewer, body.send, delivery, heartbeat=60, timeout=60, write=write)
        running = asyncio.create_task(sender.run())
        await asyncio.sleep(0)
        if stop:
            reader.stop()
        await running


async def test_complete_stream_is_one_part() -> None:
    """A short answer is the body's only part, with its end."""
    tail, body = Tail(Bounds()), Body()
    tail.append([ROLE])
    tail.finish(DONE)
    await sent(tail, body, body.write)

    assert body.parts == [(b"id: 1-1\n" + ROLE + LAST, False)]


async def test_body_ends_with_the_terminator() -> None:
    """Blocks are written at once; the terminator is sent by the task, with the end of the body."""
    tail, body = Tail(Bounds()), Body()
    running = asyncio.create_task(sent(tail, body, body.write))
    await asyncio.sleep(0.01)
    tail.append_one(ROLE)
    tail.finish(DONE)
    await running

    assert body.parts == [(b"id: 1-1\n" + ROLE, True), (LAST, False)]


async def test_body_ends_with_an_error() -> None:
    """The same where the stream has failed, and without a ``write``."""
    tail, body = Tail(Bounds()), Body()
    tail.append([text("a")])
    tail.break_off(Error("lost", "gone"))
    await sent(tail, body, None)

    *_, (error, more) = body.parts
    assert b'"code":"lost"' in error
    assert not more


async def test_body_of_a_client_that_has_left_does_not_end() -> None:
    """A server must see that the response is incomplete."""
    tail, body = Tail(Bounds()), Body()
    tail.append([ROLE])
    await sent(tail, body, body.write, stop=True)

    assert body.parts == [(b"id: 1-1\n" + ROLE, True)]
