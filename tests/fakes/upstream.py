"""A scripted provider: real TCP, exact bytes, and a memory of every request it got."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any, TypeAlias

from tests.fakes.listening import listening


class Act(Enum):
    """What a script can do beside sending bytes."""

    RESET = "reset the connection"
    HANG_UP = "close the connection without ending the body"
    STALL = "send nothing more until the client has gone"


Step: TypeAlias = bytes | asyncio.Event | Act | Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Script:
    """One answer. Steps: bytes are sent, events waited for, functions awaited."""

    steps: tuple[Step, ...]
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    before_head: tuple[Step, ...] = ()
    close: bool = False


@dataclass
class Received:
    """One request, and whether its connection is still there."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Upstream:
    """Answers with the scripts it was given, in order; the last one again and again."""

    def __init__(self, port: int) -> None:
        self.base_url = f"http://127.0.0.1:{port}/v1"
        self.requests: list[Received] = []
        self.arrived = asyncio.Event()
        self.listing: Script | None = None
        """The answer to every GET, which is then no request of the scripts."""
        self._scripts: list[Script] = []

    def answer(self, *steps: Step, **how: Any) -> None:
        """Add a script."""
        self._scripts.append(Script(steps, **how))

    def script_anew(self) -> None:
        """Drop all scripts."""
        self._scripts.clear()

    def forget(self) -> None:
        """Drop all scripts and all requests so far."""
        self.script_anew()
        self.requests.clear()
        self.arrived.clear()

    def next_script(self) -> Script:
        """The script for the next request."""
        return self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]


@asynccontextmanager
async def upstream() -> AsyncIterator[Upstream]:
    """A running scripted provider on a free port."""
    found = Upstream(0)
    async with listening(partial(_serve, found)) as address:
        found.base_url = f"http://{address}/v1"
        yield found


async def _serve(
    found: Upstream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    while True:
        request = await _read_request(reader)
        if request is None:
            return
        if found.listing is not None and request.method == "GET":
            script = found.listing
        else:
            found.requests.append(request)
            found.arrived.set()
            script = found.next_script()
        watcher = asyncio.create_task(_watch(reader, request))
        try:
            is_complete = await _play(script, request, writer)
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)
        if request.closed.is_set() or not is_complete or script.close:
            request.closed.set()
            return


async def _read_request(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    start, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, path, _ = start.split(" ")
    headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(method, path, headers, body)


async def _watch(reader: asyncio.StreamReader, request: Received) -> None:
    """A client that has sent its request sends nothing more, so any read means it left."""
    with suppress(ConnectionError):
        await reader.read(1)
    request.closed.set()


async def _play(script: Script, request: Received, writer: asyncio.StreamWriter) -> bool:
    headers = {"content-type": "text/event-stream", **script.headers}
    framing = "connection: close" if script.close else "transfer-encoding: chunked"
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    if not await _steps(script.before_head, request, writer, chunked=False):
        return False
    writer.write(f"HTTP/1.1 {script.status} X\r\n{head}{framing}\r\n\r\n".encode())
    await writer.drain()
    if not await _steps(script.steps, request, writer, chunked=not script.close):
        return False
    if not script.close:
        writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


async def _steps(
    steps: Iterable[Step], request: Received, writer: asyncio.StreamWriter, *, chunked: bool
) -> bool:
    for step in steps:
        match step:
            case bytes():
                writer.write(b"%x\r\n%b\r\n" % (len(step), step) if chunked else step)
                await writer.drain()
            case asyncio.Event():
                await _first(step.wait(), request.closed.wait())
            case Act.STALL:
                await request.closed.wait()
            case Act():
                _end_badly(step, writer)
                return False
            case _:
                await step()
        if request.closed.is_set():
            return False
    return True


def _end_badly(act: Act, writer: asyncio.StreamWriter) -> None:
    if act is Act.RESET:
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
    else:
        writer.close()


async def _first(*waits: Awaitable[object]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def chunk(delta: dict[str, Any] | None = None, *, finish: str | None = None, **more: Any) -> bytes:
    """One ``chat.completion.chunk`` block, as OpenAI writes it."""
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "gpt-x",
        "choices": [{"index": 0, "delta": delta or {}, "logprobs": None, "finish_reason": finish}],
        "usage": None,
        **more,
    }
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


def text(content: str) -> bytes:
    """A chunk of text."""
    return chunk({"content": content})


def usage(prompt: int = 3, completion: int = 2) -> bytes:
    """The usage chunk."""
    counts = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    return chunk(choices=[], usage=counts)


ROLE = chunk({"role": "assistant", "content": ""})
STOP = chunk(finish="stop")
DONE = b"data: [DONE]\n\n"


def complete(*words: str) -> tuple[bytes, ...]:
    """The blocks of an answer from its role to its terminator."""
    return (ROLE, *(text(word) for word in words), STOP, usage(), DONE)
