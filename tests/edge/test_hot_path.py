"""What one block costs the event loop: counted, so that a regression shows."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from tests.fakes.counting import counting
from tests.fakes.upstream import DONE, ROLE, STOP, Upstream, text
from tokenwire.hotpath import MAX_DIRECT

BLOCKS = 40
USER = [{"role": "user", "content": "hi"}]
# The path of a dialect, its request, and what ends each of its streams.
DIALECTS: dict[str, tuple[str, dict[str, object], bytes]] = {
    "chat": ("/v1/chat/completions", {"messages": USER, "stream": True}, b"[DONE]"),
    "messages": (
        "/v1/messages",
        {"messages": USER, "max_tokens": 9, "stream": True},
        b"message_stop",
    ),
    "responses": ("/v1/responses", {"input": "hi", "stream": True}, b"response.completed"),
    "events": ("/api/stream", {"message": "hi"}, b"[DONE]"),
    "ui": (
        "/api/chat",
        {"messages": [{"id": "m", "role": "user", "parts": [{"type": "text", "text": "hi"}]}]},
        b"[DONE]",
    ),
}


class Client:
    """One raw connection, for whose reads no loop but the test's is needed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def to(cls, url: str, request: bytes) -> Client:
        """Connect and send a request."""
        found = cls(*await asyncio.open_connection("127.0.0.1", urlsplit(url).port, limit=1 << 20))
        found._writer.write(request)
        return found

    async def until(self, text: bytes) -> bytes:
        """Read until this text has come; return what came up to its end."""
        async with asyncio.timeout(20):
            return await self._reader.readuntil(text)

    def close(self) -> None:
        """Disconnect."""
        self._writer.close()


def request(dialect: str) -> bytes:
    """Return a streaming request."""
    path, body, _ = DIALECTS[dialect]
    data = json.dumps({"model": "openai/m", **body}).encode()
    return b"POST %b HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n%b" % (
        path.encode(),
        len(data),
        data,
    )


async def counted(
    provider: Upstream, dialect: str, *, direct: bool = True, viewers: int = 0
) -> Counter[str]:
    """Return what the loop did for ``BLOCKS`` blocks, each sent once its client has the last."""
    next_block = [asyncio.Event() for _ in range(BLOCKS + 1)]
    steps = [step for n in range(BLOCKS) for step in (text(f"w{n}."), next_block[n])]
    provider.answer(ROLE + text("a"), next_block[-1], *steps, STOP + DONE)
    settings = {
        "OPENAI_API_KEY": "sk-" + "x" * 40,
        "OPENAI_BASE_URL": provider.base_url,
        "TOKENWIRE_STORE": "memory://",
    }
    with counting(settings, direct=direct) as (url, counts):
        client = await Client.to(url, request(dialect))
        await client.until(b"x-stream-id: ")
        stream_id = (await client.until(b"\r\n")).strip().decode()
        others = [await watching(url, stream_id) for _ in range(viewers)]
        for one in others:
            await one.until(b'"a"')
        next_block[-1].set()
        await client.until(b"w0.")
        before = counts.copy()
        for number in range(1, BLOCKS):
            next_block[number - 1].set()
            await client.until(b"w%d." % number)
        spent = counts.copy()
        spent.subtract(before)
        for kind in ("futures", "callbacks"):
            spent[kind] -= spent["sleeps"]  # each has one
        next_block[BLOCKS - 1].set()
        await client.until(DIALECTS[dialect][2])
        for one in [client, *others]:
            one.close()
    return spent


async def watching(url: str, stream_id: str) -> Client:
    """Return another viewer of a stream."""
    path = f"/v1/streams/{stream_id}?format=chat"
    return await Client.to(url, f"GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_block_costs_no_task_and_no_timer(dialect: str, provider: Upstream) -> None:
    """Verbatim or translated: one read, one write, and nothing for the loop to do later."""
    spent = await counted(provider, dialect)
    blocks = BLOCKS - 1
    assert spent["writes"] == blocks
    assert spent["sends"] == 0
    assert spent["tasks"] == 0
    # A sleep may be under way at either end.
    assert abs(spent["futures"]) <= 1
    assert abs(spent["timers"]) + abs(spent["callbacks"]) <= blocks // 10


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_block_costs_few_calls(dialect: str, provider: Upstream) -> None:
    """From the provider's chunk to the client's; with caches that are cold, a call costs 1 µs."""
    calls = 15 if dialect == "chat" else 19
    spent = await counted(provider, dialect)
    assert spent["calls"] <= calls * (BLOCKS - 1) + 20  # which something else may have called


async def test_viewers_of_one_stream_are_served_in_the_same_read(provider: Upstream) -> None:
    """Up to the limit; a second viewer costs a write, and no task."""
    spent = await counted(provider, "chat", viewers=2)
    # The counts are taken when one of the three has its block.
    assert abs(spent["writes"] - 3 * (BLOCKS - 1)) <= 2
    assert spent["tasks"] == 0
    assert abs(spent["futures"]) <= 1


async def test_viewers_past_the_limit_wake_as_tasks(provider: Upstream) -> None:
    """So that one stream with many viewers does not hold up the others."""
    spent = await counted(provider, "chat", viewers=MAX_DIRECT + 1)
    assert 0 < spent["futures"] <= 4 * (BLOCKS - 1)
    assert spent["tasks"] == 0


async def test_server_without_a_write_costs_one_wake_up(provider: Upstream) -> None:
    """Another ASGI server: one send, one wait for the next block, one timer for the send."""
    spent = await counted(provider, "chat", direct=False)
    blocks = BLOCKS - 1
    assert (spent["writes"], spent["sends"], spent["tasks"]) == (0, blocks, 0)
    assert spent["futures"] <= blocks + 1
    assert spent["timers"] <= blocks + blocks // 10
    assert spent["callbacks"] <= 2 * blocks


def chunked(*blocks: bytes) -> bytes:
    """Return each block as a chunk of its own."""
    return b"".join(b"%x\r\n%b\r\n" % (len(block), block) for block in blocks)


@pytest.mark.parametrize("frame", [chunked, lambda *blocks: chunked(b"".join(blocks))])
async def test_blocks_of_one_read_cost_no_call_each(
    frame: Callable[..., bytes], provider: Upstream
) -> None:
    """A provider sends hundreds at once, in chunks of any size: a call is for a read or a write."""
    blocks = [text(f"w{n}.") for n in range(500)]
    more, rest = asyncio.Event(), asyncio.Event()
    provider.answer(
        *(chunked(ROLE + text("a")), more, frame(*blocks), rest, chunked(STOP, DONE, b"")),
        headers={"transfer-encoding": "chunked"},
        close=True,
    )
    settings = {
        "OPENAI_API_KEY": "sk-" + "x" * 40,
        "OPENAI_BASE_URL": provider.base_url,
        "TOKENWIRE_STORE": "memory://",
    }
    with counting(settings) as (url, counts):
        client = await Client.to(url, request("chat"))
        await client.until(b'"a"')
        before = counts.copy()
        more.set()
        received = await client.until(b"w499.")
        spent = counts["calls"] - before["calls"]
        rest.set()
        await client.until(b"[DONE]")
        client.close()
    assert received.count(b"\nid: 1-") == 500
    assert spent < 250
