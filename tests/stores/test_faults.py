"""Stores that fail: the caller's stream goes on, losses are reported, and nothing grows."""

from __future__ import annotations

import asyncio
import json
import math
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.fakes.server import serving
from tests.fakes.upstream import DONE, ROLE, STOP, Upstream, text
from tests.http.reading import Watching, printed, read, text_of
from tests.stores.servers import Server, configure, redis

SOAK = "TOKENWIRE_SOAK" in os.environ
ASK = {"message": "x", "model": "openai/m", "on_disconnect": "continue"}


@asynccontextmanager
async def two_processes(
    provider: Upstream, server: Server, **settings: str
) -> AsyncIterator[tuple[httpx2.AsyncClient, httpx2.AsyncClient]]:
    """Two servers with one store: clients of each."""
    environ = {
        "OPENAI_API_KEY": "sk-x",
        "OPENAI_BASE_URL": provider.base_url,
        "TOKENWIRE_STORE": server.url,
        "TOKENWIRE_LEASE": "2",
        "TOKENWIRE_HEARTBEAT": "0.5",
        **settings,
    }
    async with (
        serving(environ) as here,
        serving(environ) as there,
        httpx2.AsyncClient(base_url=here, timeout=30, trust_env=False, verify=False) as one,
        httpx2.AsyncClient(base_url=there, timeout=30, trust_env=False, verify=False) as two,
    ):
        yield one, two


async def until(check: Callable[[], Awaitable[bool]], seconds: float = 10) -> None:
    """Wait until the check succeeds."""
    async with asyncio.timeout(seconds):
        while not await check():
            await asyncio.sleep(0.05)


async def health(client: httpx2.AsyncClient) -> str:
    """Return the store's state in ``/readyz``."""
    state: str = (await client.get("/readyz")).json()["store"]
    return state


async def failing(client: httpx2.AsyncClient) -> float:
    """Return the store's gauge in ``/metrics``."""
    received = (await client.get("/metrics")).text
    found = re.search(r"^tokenwire_store_failing (\S+)$", received, re.MULTILINE)
    assert found is not None
    return float(found[1])


Fault = Callable[[Server], None]


def fill(server: Server) -> None:
    """Let Redis have no memory for anything new."""
    configure(server, "maxmemory", "1")


FAULTS: dict[str, tuple[Fault, Fault]] = {
    "restarted": (Server.stop, Server.start),
    "cut off": (Server.halt, Server.go_on),
    "full": (fill, lambda server: configure(server, "maxmemory", "0")),
}


@pytest.mark.outside
@pytest.mark.parametrize("fault", FAULTS)
async def test_redis_fails_in_mid_stream(
    fault: str, provider: Upstream, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The caller notices nothing; operators do; once it works again the stream can be resumed."""
    server = redis(tmp_path)
    breaks, mends = FAULTS[fault]
    go, on = asyncio.Event(), asyncio.Event()
    provider.answer(ROLE, text("before "), go, text("during "), on, text("after"), STOP, DONE)
    server.start()
    try:
        async with two_processes(provider, server) as (here, there):
            assert (await health(here), await failing(here)) == ("ok", 0)
            async with here.stream("POST", "/api/stream", json=ASK) as response:
                watching = Watching(response)
                await watching.until(b"before")
                breaks(server)
                go.set()
                await watching.until(b"during")

                async def degraded() -> bool:
                    return await health(here) == "degraded" and await failing(here) == 1

                await until(degraded)
                await asyncio.sleep(5 if SOAK else 0)
                mends(server)

                async def mended() -> bool:
                    return await health(here) == "ok"

                await until(mended)
                on.set()
                received = await watching.rest()
            assert text_of(received) == "before during after"
            again = await there.get(f"/v1/streams/{watching.id}")
            assert text_of(again.content) == "before during after"
    finally:
        server.stop()
    messages = [
        record.getMessage() for record in caplog.records if record.name == "tokenwire.store"
    ]
    assert [re.split("[;:]", words)[0] for words in messages] == [
        "the store is failing",
        "the store is working again",
    ]


async def test_redis_stays_away(
    provider: Upstream, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Streams begin and end without it, at once, and say in their lines what they lack."""
    server = redis(tmp_path)
    provider.answer(ROLE, text("a"), STOP, DONE)
    async with two_processes(provider, server) as (here, there):
        for _ in range(3):
            response = await here.post("/api/stream", json=ASK)
            assert text_of(response.content) == "a"
        chat = {"id": "c", "messages": [{"role": "user", "parts": [{"type": "text", "text": "x"}]}]}
        assert (await here.post("/api/chat", json={**chat, "model": "openai/m"})).is_success
        # What only the store could promise is refused, and may be requested again.
        for refused in (
            await here.post("/api/stream", json=ASK, headers={"idempotency-key": "k"}),
            await there.get(f"/v1/streams/{response.headers['x-stream-id']}"),
        ):
            assert refused.status_code == 503
            assert refused.json()["code"] == "store_unavailable"
            assert refused.json()["retryable"] is True
    received = await printed(capfd, 4)
    lines = [json.loads(line) for line in received.splitlines() if '"request"' in line]
    assert [line.get("store") for line in lines if line["http"]["route"] == "/api/stream"][:3] == [
        "degraded"
    ] * 3


async def test_secrets_of_the_address_are_not_logged(
    provider: Upstream, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither a caller nor a line learns where the store is, or its password."""
    provider.answer(ROLE, text("a"), STOP, DONE)
    environ = {
        "OPENAI_API_KEY": "sk-x",
        "OPENAI_BASE_URL": provider.base_url,
        "TOKENWIRE_STORE": "redis://user:hunter2@127.0.0.1:1",
    }
    async with (
        serving(environ) as url,
        httpx2.AsyncClient(base_url=url, trust_env=False, verify=False) as client,
    ):
        texts = [(await client.post("/api/stream", json=ASK)).text]
        texts.append((await client.get("/v1/streams/st_x")).text)
        texts.append((await client.get("/readyz")).text)
    out = capfd.readouterr()
    for output in (*texts, out.out, out.err):
        assert "hunter2" not in output
        assert "127.0.0.1:1" not in output


@pytest.fixture
async def throttling(server_of: Callable[[str], Server]) -> AsyncIterator[Throttling]:
    """A proxy in front of DynamoDB that refuses requests on command."""
    found = Throttling(server_of("moto"))
    listener = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = listener.sockets[0].getsockname()[1]
    yield found
    listener.close()
    for writer in found.open:
        writer.transport.abort()
    await asyncio.sleep(0.01)


class Throttling:
    """Passes requests on, or answers as DynamoDB does when there are too many."""

    def __init__(self, behind: Server) -> None:
        self.behind = behind
        self.port = 0
        self.on = False
        self.reads_pass = False
        self.refused = 0
        self.refuses = math.inf
        self.open: set[asyncio.StreamWriter] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.open.add(writer)
        base_url = f"http://127.0.0.1:{self.behind.port}"
        async with httpx2.AsyncClient(base_url=base_url, trust_env=False, verify=False) as behind:
            while head := await _head(reader):
                size = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
                body = await reader.readexactly(int(size[1]) if size else 0)
                status, answer = await self._answer(behind, head, body)
                response = f"HTTP/1.1 {status} X\r\nContent-Length: {len(answer)}\r\n"
                response += "X-Amz-Retry-After: 30000\r\n" if status == 400 else ""
                response += "Content-Type: application/x-amz-json-1.0\r\n\r\n"
                writer.write(response.encode() + answer)
        self.open.discard(writer)
        writer.close()

    async def _answer(
        self, behind: httpx2.AsyncClient, head: bytes, body: bytes
    ) -> tuple[int, bytes]:
        if self.on and self.refuses > 0 and not (self.reads_pass and _is_read(head)):
            self.refused += 1
            self.refuses -= 1
            kind = "com.amazonaws.dynamodb.v20120810#ThrottlingException"
            return 400, json.dumps({"__type": kind, "message": "Rate exceeded"}).encode()
        lines = (line.split(": ", 1) for line in head.decode().split("\r\n")[1:] if line)
        headers = {name: value for name, value in lines if name.lower() != "host"}
        response = await behind.post("/", content=body, headers=headers)
        return response.status_code, response.content


def _is_read(head: bytes) -> bool:
    return re.search(rb"\.(BatchGetItem|GetItem|Query)\b", head) is not None


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


async def test_dynamodb_throttles(
    provider: Upstream, throttling: Throttling, its_environment: Callable[[Server], None]
) -> None:
    """As with Redis: the stream goes on, and is whole in the table once that takes writes again."""
    server = throttling.behind
    door = {"AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{throttling.port}"}
    its_environment(Server([], server.folder, "", 0, {**server.environ, **door}))
    go, on = asyncio.Event(), asyncio.Event()
    provider.answer(ROLE, text("before "), go, text("during "), on, text("after"), STOP, DONE)
    async with two_processes(provider, server) as (here, there):
        async with here.stream("POST", "/api/stream", json=ASK) as response:
            watching = Watching(response)
            await watching.until(b"before")
            throttling.on = True
            go.set()

            async def degraded() -> bool:
                return await health(here) == "degraded"

            await until(degraded)
            throttling.on = False
            on.set()
            received = await watching.rest()
        assert text_of(received) == "before during after"
        assert throttling.refused > 0
        again = await there.get(f"/v1/streams/{watching.id}")
        assert text_of(again.content) == "before during after"
        assert await health(here) == "ok"


@pytest.mark.parametrize("durability", ["send", "commit"])
@pytest.mark.parametrize("kind", ["redis", "moto"])
async def test_any_process_will_do(
    kind: str,
    durability: str,
    provider: Upstream,
    server_of: Callable[[str], Server],
    its_environment: Callable[[Server], None],
) -> None:
    """Start here; watch, resume, share, retry and stop there; in the dialect of one's choice."""
    server = server_of(kind)
    its_environment(server)
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two"), STOP, DONE)
    opened = two_processes(provider, server, TOKENWIRE_DURABILITY=durability)
    async with opened as (here, there):
        key = {"idempotency-key": f"k-{durability}"}
        async with here.stream("POST", "/api/stream", json=ASK, headers=key) as response:
            watching = Watching(response)
            await watching.until(b"one")
        stream_id = watching.id
        path = f"/v1/streams/{stream_id}"
        shared = (await there.post(f"{path}/ticket")).json()["url"]
        async with (
            there.stream("GET", path) as follows,
            there.stream("GET", path, headers=watching.last) as resumed,
            there.stream("POST", "/api/stream", json=ASK, headers=key) as retried,
        ):
            gate.set()
            assert text_of(await follows.aread()) == "one two"
            assert text_of(await resumed.aread()) == "two"
            assert text_of(await retried.aread()) == "one two"
        chat: Any = await there.get(f"{shared}&format=chat")
        assert chat.text.endswith("data: [DONE]\n\n")
        over = (await there.get(path)).content
        done = await there.get(path, headers={"last-event-id": read(over)[-1][0]})
        assert done.status_code == 204
        assert len(provider.requests) == 1


@pytest.mark.parametrize("kind", ["redis", "moto"])
async def test_cancel_reaches_a_silent_producer(
    kind: str,
    provider: Upstream,
    server_of: Callable[[str], Server],
    its_environment: Callable[[Server], None],
) -> None:
    """Within a second or so the upstream is closed, and all viewers get an error."""
    server = server_of(kind)
    its_environment(server)
    provider.answer(ROLE, text("a"), asyncio.Event())
    async with two_processes(provider, server) as (here, there):
        async with here.stream("POST", "/api/stream", json=ASK) as response:
            watching = Watching(response)
            await watching.until(b'"a"')
            stream_id = watching.id
            answer = await there.post(f"/v1/streams/{stream_id}/cancel")
            assert answer.json() == {"id": stream_id, "end_reason": "cancelled"}
            async with asyncio.timeout(3):
                await provider.requests[0].closed.wait()
            received = await watching.rest()
        assert read(received)[-1][1]["code"] == "cancelled"
