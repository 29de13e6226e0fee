"""Many streams, and a client that does not read."""

from __future__ import annotations

import asyncio
import random
import resource
import socket
from pathlib import Path

import httpx2
import pytest

from tests.conftest import Serve
from tests.fakes.upstream import DONE, ROLE, STOP, Upstream, text, usage
from tests.http.test_chat import WITH_USAGE, without_ids

pytestmark = pytest.mark.serial


@pytest.mark.timeout(240)
async def test_thousand_streams_are_identical(provider: Upstream, serve: Serve) -> None:
    """1,000 streams with random disconnects arrive complete, in order and byte-identical."""
    chance = random.Random(7)
    client = await serve(provider)
    sent: list[bytes] = []
    for number in range(1000):
        words = [f"{number} {n} {chance.choice('aü☃🎈')} " for n in range(chance.randint(1, 40))]
        body = b"".join((ROLE, *map(text, words), STOP, usage(), DONE))
        marks = sorted(chance.choices(range(1, len(body)), k=chance.randint(0, 12)))
        provider.answer(
            *(body[a:b] for a, b in zip([0, *marks], [*marks, len(body)], strict=True) if a < b)
        )
        sent.append(body)
    gate = asyncio.Semaphore(50)

    async def ask() -> bytes:
        async with gate:
            response = await client.post("/v1/chat/completions", json=WITH_USAGE)
            ids = [x for x in response.content.splitlines() if x.startswith(b"id: ")]
            assert ids == [b"id: 1-%d" % n for n in range(1, len(ids) + 1)]
            return without_ids(response.content)

    got = await asyncio.gather(*(ask() for _ in range(1000)))

    assert sorted(got) == sorted(sent)


@pytest.mark.timeout(120)
async def test_unread_200_mb_stay_upstream(provider: Upstream, serve: Serve) -> None:
    """A client that stops reading uses a window of memory, not 200 MB; others are not slowed."""
    piece = text("x" * 8000) * 8
    sent = 0

    async def count() -> None:
        nonlocal sent
        sent += len(piece)

    flood = [step for _ in range(200 * 1024 * 1024 // len(piece)) for step in (piece, count)]
    provider.answer(ROLE, *flood, STOP, DONE)
    provider.answer(ROLE, *(text(f"{n} ") for n in range(100)), STOP, DONE)
    client = await serve(provider)
    await client.post("/api/stream", json={"message": "warm up"})

    before = resident()
    host, port = client.base_url.host, client.base_url.port
    stuck = socket.create_connection((host, port))
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    body = b'{"model":"openai/m","stream":true,"messages":[{"role":"user","content":"x"}]}'
    stuck.sendall(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: %d\r\n\r\n"
        % len(body)
        + body
    )
    settled = -1
    while settled != sent or sent == 0:
        settled = sent
        await asyncio.sleep(0.3)
    other = await client.post("/v1/chat/completions", json=WITH_USAGE)
    grown = resident() - before
    stuck.close()

    assert other.text.count('"content"') == 101
    assert other.text.endswith("data: [DONE]\n\n")
    # The provider in this process has its own socket buffers too.
    assert sent < 16 * 1024 * 1024
    assert grown < 16 * 1024 * 1024


def resident() -> int:
    """Return this process's memory in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


@pytest.mark.timeout(120)
async def test_stuck_client_is_given_up(provider: Upstream, serve: Serve) -> None:
    """A client that reads nothing for the send time-out is disconnected, and so is the provider."""
    provider.answer(ROLE, *([text("x" * 8000) * 8] * 400), asyncio.Event(), STOP, DONE)
    client = await serve(provider, TOKENWIRE_SEND_TIMEOUT="0.3")
    reader, writer = await asyncio.open_connection(
        client.base_url.host, client.base_url.port, limit=1024
    )
    body = b'{"model":"openai/m","stream":true,"messages":[{"role":"user","content":"x"}]}'
    writer.write(
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: %d\r\n\r\n"
        % len(body)
        + body
    )
    await asyncio.wait_for(provider.arrived.wait(), 5)

    await asyncio.wait_for(provider.requests[0].closed.wait(), 20)

    rest = await reader.read()
    assert not rest.endswith(b"0\r\n\r\n")
    writer.close()


@pytest.mark.timeout(120)
async def test_open_counts_fall_to_zero(serve: Serve) -> None:
    """Idle streams are counted while they are open, and not afterwards."""
    client = await serve(TOKENWIRE_MAX_STREAMS="500")
    limits = httpx2.Limits(max_connections=400)
    async with httpx2.AsyncClient(base_url=client.base_url, limits=limits, timeout=60) as crowd:
        tasks = [
            asyncio.create_task(
                crowd.post(
                    "/v1/chat/completions",
                    json={
                        "model": "demo/markdown",
                        "stream": True,
                        "messages": [{"role": "user", "content": "hi /wait 600"}],
                    },
                )
            )
            for _ in range(300)
        ]
        await metric(client, "tokenwire_open_viewers 300.0")
        assert "tokenwire_open_streams 300.0" in (await client.get("/metrics")).text
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await metric(client, "tokenwire_open_viewers 0.0")
    await metric(client, "tokenwire_open_streams 0.0")


async def metric(client: httpx2.AsyncClient, line: str) -> None:
    """Wait until the metrics have this line."""
    async with asyncio.timeout(30):
        while line not in (await client.get("/metrics")).text:
            await asyncio.sleep(0.05)
