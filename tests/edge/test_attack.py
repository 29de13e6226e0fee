"""The server as a process under attack, and the streams of other callers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

import httpx2
import pytest

from tests.e2e.test_process import listening, started
from tests.fakes.ports import reserved_port
from tests.fakes.upstream import DONE, ROLE, STOP, Upstream, text
from tests.http.reading import text_of

from .wire import Dial, Wire, request

pytestmark = [
    pytest.mark.outside,
    pytest.mark.serial,
    pytest.mark.timeout(180),
]
KEY = "key-one-of-tests"
BLOCKS = 400
POST = b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"

Attack = Callable[[Wire], Coroutine[None, None, None]]


def endless(start: bytes, more: bytes, pause: float = 0.0) -> Attack:
    """Send a start, then more data, until the server stops accepting it."""

    async def attack(wire: Wire) -> None:
        taken = await wire.send(start)
        while taken:
            await asyncio.sleep(pause)
            taken = await wire.send(more)

    return attack


async def silent(wire: Wire) -> None:
    """Connect and send nothing."""
    assert await wire.rest() == b""


ATTACKS: list[Attack] = [
    silent,
    endless(b"GET / HTTP/1.1\r\n", b"X", 0.1),  # a slow head
    endless(b"GET / HTTP/1.1\r\nX: ", b"x" * 65536),  # a huge head
    endless(POST + b"Content-Length: 9999999\r\n\r\n", b"x", 0.1),  # a slow body
    endless(POST + CHUNKED, b"8000\r\n" + b"x" * 0x8000 + b"\r\n", 0.01),  # an endless body
    endless(POST + CHUNKED + b"0\r\n", b"X: y\r\n" * 100, 0.01),  # endless trailers
    endless(b"\x16\x03\x01\x02\x00\x01", b"\xff" * 100, 0.1),  # not HTTP
    endless(b"", request("GET", "/docs") * 50, 0.02),  # requests whose responses are not read
]


@asynccontextmanager
async def server(provider: Upstream) -> AsyncIterator[httpx2.AsyncClient]:
    """``python -m tokenwire`` in front of a provider, with short deadlines."""
    port = reserved_port()
    settings = {
        "TOKENWIRE_PORT": str(port),
        "TOKENWIRE_API_KEYS": KEY,
        "TOKENWIRE_TIMEOUT_HEAD": "3",
        "TOKENWIRE_TIMEOUT_BODY": "3",
        "TOKENWIRE_SEND_TIMEOUT": "3",
        "OPENAI_API_KEY": "sk-secret",
        "OPENAI_BASE_URL": provider.base_url,
    }
    async with (
        started(**settings) as process,
        httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"x-api-key": KEY},
            timeout=120,
            trust_env=False,
        ) as client,
    ):
        await listening(client)
        # The server logs many lines; a full pipe would block it.
        drains = [asyncio.create_task(_drain(pipe)) for pipe in (process.stdout, process.stderr)]
        yield client
        for drain in drains:
            drain.cancel()


async def _drain(pipe: asyncio.StreamReader | None) -> None:
    while pipe is not None and await pipe.read(65536):
        pass


async def test_streams_go_on_under_attack(provider: Upstream, dial: Dial) -> None:
    """200 slow, huge and malformed connections end, and four other streams lose no block."""
    words = [f"{number} " for number in range(BLOCKS)]
    attacked = asyncio.Event()
    for _ in range(4):
        half = [text(word) for word in words]
        provider.answer(ROLE, *half[:200], attacked, *half[200:], STOP, DONE)
    async with server(provider) as client:
        ask = {"model": "openai/m", "message": "hi"}
        streams = [asyncio.create_task(client.post("/api/stream", json=ask)) for _ in range(4)]
        wires = [await dial(client) for _ in range(200)]
        attacks = [
            asyncio.create_task(ATTACKS[number % len(ATTACKS)](wire))
            for number, wire in enumerate(wires)
        ]
        await asyncio.wait(attacks, return_when=asyncio.FIRST_COMPLETED)
        during = await client.post("/api/stream", json={"model": "demo/markdown", "message": "x"})
        attacked.set()
        answers = await asyncio.gather(*streams)

        done, pending = await asyncio.wait(attacks, timeout=60)
        after = await client.get("/readyz")

    assert [text_of(answer.content) for answer in answers] == ["".join(words)] * 4
    assert during.content.endswith(b"data: [DONE]\n\n")
    assert (len(done), len(pending)) == (200, 0)
    assert after.status_code == 200
