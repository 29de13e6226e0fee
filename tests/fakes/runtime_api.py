"""A scripted Lambda Runtime API: raw sockets, exact bytes, one exchange for each invocation."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.listening import listening


@dataclass
class Exchange:
    """One invocation, and all that the runtime sent back for it."""

    event: Any
    request_id: str
    headers: dict[str, str] = field(default_factory=dict)
    status: int = 202
    hang_up: bool = False
    path: str = ""
    sent: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    chunks: list[bytes] = field(default_factory=list)
    trailers: dict[str, str] = field(default_factory=dict)
    moved: asyncio.Condition = field(default_factory=asyncio.Condition)
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def until(self, text: bytes) -> None:
        """Wait until the body so far holds this."""
        async with asyncio.timeout(10), self.moved:
            await self.moved.wait_for(lambda: text in self.body)

    async def finished(self) -> Exchange:
        """Wait for the end of the answer."""
        await asyncio.wait_for(self.done.wait(), 10)
        return self

    @property
    def prelude(self) -> Any:
        """The streamed response's head."""
        return json.loads(self.body.split(b"\0" * 8, 1)[0])

    @property
    def payload(self) -> bytes:
        """The streamed response's body."""
        return self.body.split(b"\0" * 8, 1)[1]


class RuntimeApi:
    """Hands out invocations, and takes their answers."""

    def __init__(self) -> None:
        self.address = ""
        self.split = 0
        self.polls = 0
        self.connections = 0
        self.die_on_next = 0
        self.next_status = 200
        self.posts: dict[str, Any] = {}
        self.paused = asyncio.Event()
        self.paused.set()
        self._waiting: asyncio.Queue[Exchange] = asyncio.Queue()
        self._open: dict[str, Exchange] = {}
        self._count = 0

    def invoke(
        self, event: Any, *, status: int = 202, hang_up: bool = False, **headers: str
    ) -> Exchange:
        """Queue an invocation. Headers are named without ``Lambda-Runtime-``, with underscores."""
        self._count += 1
        request_id = f"req-{self._count}"
        named = {
            "Aws-Request-Id": request_id,
            "Deadline-Ms": "99999999999999",
            "Invoked-Function-Arn": "arn:aws:lambda:r:1:function:f",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        exchange = Exchange(event, request_id, named, status, hang_up)
        self._open[request_id] = exchange
        self._waiting.put_nowait(exchange)
        return exchange

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, path, _ = head.split(" ", 2)
            headers = dict(re.findall(r"(?m)^([A-Za-z-]+): (.*)\r$", head))
            path = path.removeprefix("/2018-06-01")
            if method == "GET":
                await self._next(path, writer)
            else:
                await self._post(path, headers, reader, writer)

    async def _next(self, path: str, writer: asyncio.StreamWriter) -> None:
        if path == "/runtime/restore/next":
            self.posts[path] = None
            await self._answer(writer, 200, {}, b"")
            return
        self.polls += 1
        if self.die_on_next:
            self.die_on_next -= 1
            writer.transport.abort()
            raise ConnectionError
        if self.next_status != 200:
            await self._answer(writer, self.next_status, {}, b"{}")
            return
        exchange = await self._waiting.get()
        headers = {f"Lambda-Runtime-{name}": value for name, value in exchange.headers.items()}
        await self._answer(writer, 200, headers, json.dumps(exchange.event).encode())

    async def _post(
        self,
        path: str,
        headers: dict[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        match = re.fullmatch(r"/runtime/invocation/([\w-]+)/(response|error)", path)
        if match is None:
            self.posts[path] = json.loads(await reader.readexactly(int(headers["Content-Length"])))
            await self._answer(writer, 202, {}, b"{}")
            return
        exchange = self._open[match[1]]
        exchange.path, exchange.sent = match[2], headers
        if "Transfer-Encoding" in headers:
            await self._read_chunks(exchange, reader, writer)
        else:
            exchange.body = await reader.readexactly(int(headers["Content-Length"]))
        await self._answer(writer, exchange.status, {}, b'{"status":"OK"}')
        exchange.done.set()

    async def _read_chunks(
        self, exchange: Exchange, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while size := int(await reader.readline(), 16):
            await self.paused.wait()
            data = (await reader.readexactly(size + 2))[:-2]
            async with exchange.moved:
                exchange.chunks.append(data)
                exchange.body += data
                exchange.moved.notify_all()
            if exchange.hang_up:
                writer.transport.abort()
                raise ConnectionError
        while line := (await reader.readline()).strip():
            name, _, value = line.decode().partition(": ")
            exchange.trailers[name] = value

    async def _answer(
        self, writer: asyncio.StreamWriter, status: int, headers: dict[str, str], body: bytes
    ) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} X\r\n{lines}Content-Length: {len(body)}\r\n\r\n"
        data = head.encode() + body
        size = self.split or len(data)
        for at in range(0, len(data), size):
            writer.write(data[at : at + size])
            await writer.drain()
            if self.split:
                await asyncio.sleep(0)


@asynccontextmanager
async def runtime_api() -> AsyncIterator[RuntimeApi]:
    """A running one, on a free port."""
    found = RuntimeApi()
    async with listening(found.serve, limit=2**20) as found.address:
        yield found
