"""A provider with minimal cost: the request's model name selects the answer; raw sockets.

``bulk-N``: N text blocks in rapid succession. ``one``: a short answer. ``idle``: the first
block, and then nothing until the client disconnects.
"""

from __future__ import annotations

import asyncio
import re
import sys

from tests.fakes.upstream import DONE, ROLE, STOP, text

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_MODEL = re.compile(rb'"model": ?"(?:\w+/)?([a-z]+)(?:-(\d+))?"')
_TEXT = text(" token" + "x" * 100)
_GROUP = 50


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            body = await reader.readexactly(int(length[1])) if length else b""
            await _answer(body, writer)
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _answer(body: bytes, writer: asyncio.StreamWriter) -> None:
    model = _MODEL.search(body)
    kind, count = (model[1], int(model[2] or 0)) if model else (b"one", 0)
    writer.write(_HEAD + _chunk(ROLE + text("Hi")))
    for _ in range(count // _GROUP):
        writer.write(_chunk(_TEXT * _GROUP))
        await writer.drain()
    if kind == b"idle":
        return
    writer.write(_chunk(STOP + DONE) + b"0\r\n\r\n")
    await writer.drain()


async def main(port: int) -> None:
    """Serve until killed."""
    server = await asyncio.start_server(_serve, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
