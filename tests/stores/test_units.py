"""What a stream costs in DynamoDB, counted in units."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from benchmarks.units import Meter
from tests.stores.conftest import store_at
from tests.stores.servers import Server
from tokenwire.streams.dynamodb import DynamoDBStore
from tokenwire.streams.hub import Durability, Hub, Limits
from tokenwire.streams.log import Meta
from tokenwire.streams.policy import CONTINUE
from tokenwire.streams.pump import Source
from tokenwire.streams.stream import new_id
from tokenwire.wire.chat import DIALECT

TOKENS, A_SECOND = 500, 50


def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    """A block as OpenAI sends it: some 300 bytes, a random part among them."""
    said = {
        "id": "chatcmpl-CfYp8AqYHqmVbOrAAzQq9BkzPxV1M",
        "object": "chat.completion.chunk",
        "created": 1_795_000_000,
        "model": "gpt-5-2026-08-07",
        "service_tier": "default",
        "system_fingerprint": "fp_44added55e",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
        "usage": None,
        "obfuscation": secrets.token_urlsafe(8),
    }
    return b"data: " + json.dumps(said, separators=(",", ":")).encode() + b"\n\n"


@asynccontextmanager
async def upstream() -> AsyncIterator[AsyncIterator[bytes]]:
    """An answer of 500 tokens, at 50 a second."""

    async def body() -> AsyncIterator[bytes]:
        yield chunk({"role": "assistant", "content": ""})
        loop = asyncio.get_running_loop()
        start = loop.time()
        for number in range(TOKENS):
            await asyncio.sleep(start + number / A_SECOND - loop.time())
            yield chunk({"content": f" {secrets.choice(WORDS)}"})
        yield chunk({}, "stop")
        yield b"data: [DONE]\n\n"

    yield body()


WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "is",
    "that",
    "for",
    "it",
    "as",
    "was",
    "with",
    "be",
    "by",
    "on",
    "not",
    "he",
    "this",
    "are",
    "or",
    "his",
    "from",
    "at",
    "which",
    "but",
    "have",
    "an",
    "had",
    "they",
    "you",
    "were",
    "their",
    "one",
    "all",
    "we",
    "can",
    "her",
    "has",
    "there",
    "been",
    "if",
    "more",
    "when",
    "will",
]


@pytest.mark.parametrize("kind", ["moto", "dynamodb_local"])
async def test_a_stream_of_500_tokens(
    kind: str, server_of: Callable[[str], Server], its_environment: Callable[[Server], None]
) -> None:
    """At most 60 write units, with one viewer elsewhere; by AWS's own count too, where it runs."""
    server = server_of(kind)
    its_environment(server)
    here, there = store_at(server), store_at(server)
    assert isinstance(here, DynamoDBStore)
    assert isinstance(there, DynamoDBStore)
    wrote, read = Meter(), Meter()
    wrote.watch(here._connected())
    read.watch(there._connected())
    producer = Hub(Limits(), durability=Durability(here))
    viewer = Hub(Limits(), durability=Durability(there))
    meta = Meta(new_id(), "me", "openai", "chat", "gpt-5", 1)
    stream = await producer.start(meta, Source(upstream, DIALECT.decoder()), CONTINUE)
    remote = await viewer.find(meta.id, "me")
    blocks = 0
    with viewer.watch(remote, 1) as reader:
        while reader.ended is None:
            await reader.wait(10)
            blocks += len(reader.take())
    await producer.settled(stream)
    await producer.aclose()
    await viewer.aclose()
    written, units = wrote.written + read.written, wrote.read + read.read
    assert blocks == TOKENS + 2
    assert written <= 60
    assert units <= 60
    if kind == "dynamodb_local":
        assert wrote.told["write"] + read.told["write"] == written
        # Here a read that finds nothing is free. In a region it costs half a unit.
        assert wrote.told["read"] + read.told["read"] <= units
    await here.aclose()
    await there.aclose()
