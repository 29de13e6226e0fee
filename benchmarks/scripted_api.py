"""A Runtime API for one invocation, which records the times of the request and of the response."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.fakes.listening import listening

_ACCEPTED = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}"
_REGISTERED = (
    b"HTTP/1.1 200 OK\r\nLambda-Extension-Identifier: one\r\nContent-Type: application/json\r\n"
    b"Content-Length: 20\r\n\r\n" + b'{"functionName":"f"}'
)


class OneInvocation:
    """Serves the Runtime API, and of the Extensions API what the Web Adapter needs.

    Args:
        event: The invocation's JSON.
        awaited: What the answer's first part has in it.
    """

    def __init__(self, event: bytes, awaited: bytes) -> None:
        self.address = ""
        self.ready = 0.0
        self.first_byte: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._event = event
        self._awaited = awaited

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            if b"/invocation/next" in head:
                await self._next(writer)
            elif b"/extension/event/next" in head:
                await asyncio.Event().wait()
            else:
                await self._read(head, reader)
                writer.write(_REGISTERED if b"/extension/register" in head else _ACCEPTED)

    async def _next(self, writer: asyncio.StreamWriter) -> None:
        if self.ready:
            await asyncio.Event().wait()
        self.ready = time.perf_counter()
        deadline = int(time.time() * 1000) + 60_000
        head = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
            "Lambda-Runtime-Aws-Request-Id: one\r\n"
            "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:1:function:f\r\n"
            f"Lambda-Runtime-Trace-Id: Root=1\r\nLambda-Runtime-Deadline-Ms: {deadline}\r\n"
            f"Content-Length: {len(self._event)}\r\n\r\n"
        )
        writer.write(head.encode() + self._event)

    async def _read(self, head: bytes, reader: asyncio.StreamReader) -> None:
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        body = bytearray()
        while len(body) < int(length[1]) if length else not body.endswith(b"\r\n\r\n"):
            if not (data := await reader.read(65536)):
                raise ConnectionError
            body += data
            if b"/invocation/" in head and not self.first_byte.done():
                self._note(head, body)

    def _note(self, head: bytes, body: bytearray) -> None:
        if b"/error " in head:
            self.first_byte.set_exception(RuntimeError(f"the function failed: {bytes(body)!r}"))
        elif self._awaited in body:
            self.first_byte.set_result(time.perf_counter())


@asynccontextmanager
async def one_invocation(event: bytes, awaited: bytes) -> AsyncIterator[OneInvocation]:
    """A running one, on a free port."""
    api = OneInvocation(event, awaited)
    async with listening(api.serve) as api.address:
        yield api
