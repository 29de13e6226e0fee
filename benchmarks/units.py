"""The cost of a stream in DynamoDB, in request units as billed.

Sizes follow the developer guide: names and values of every attribute, writes per started KB,
reads per started 4 KB, half of it for eventually consistent reads.
"""

from __future__ import annotations

import asyncio
import json
import math
import secrets
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.framing import framed
from tokenwire.dialects.chat import DIALECT
from tokenwire.stores.dynamodb.store import DynamoDBStore
from tokenwire.stores.records import Meta
from tokenwire.streams.hub import Hub
from tokenwire.streams.limits import Durability, Limits
from tokenwire.streams.policy import CONTINUE
from tokenwire.streams.pump import Source
from tokenwire.streams.stream import new_id

WRITE_PRICE, READ_PRICE = 0.625e-6, 0.125e-6
"""US dollars per unit, on demand, in us-east-1 (list price of November 2026)."""


def size_of(value: Any) -> int:
    """Bytes of one attribute value, in DynamoDB's JSON."""
    ((kind, content),) = value.items()
    match kind:
        case "B":
            return len(content) * 3 // 4 if isinstance(content, str) else len(content)
        case "S":
            return len(content.encode())
        case "N":
            return len(content) // 2 + 2
        case "M":
            return 3 + sum(len(name) + size_of(inner) + 1 for name, inner in content.items())
        case _:
            return 1


def item_size(item: dict[str, Any]) -> int:
    """Bytes of an item."""
    return sum(len(name) + size_of(value) for name, value in item.items())


@dataclass(slots=True)
class Meter:
    """Counter of the requests of a boto3 client of DynamoDB.

    ``reported`` is the consumption reported by the server, for which moto has no useful values.
    ``refused`` counts writes whose condition failed: they cost a unit that is not reported.
    """

    written: float = 0.0
    read: float = 0.0
    refused: int = 0
    reported: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)

    def watch(self, client: Any) -> None:
        """Count from now on."""
        events = client.meta.events
        events.register("provide-client-params.dynamodb.*", self._request_counts)
        events.register("before-call.dynamodb.*", self._count_request)
        events.register("after-call.dynamodb.*", self._count_response)

    @property
    def dollars(self) -> float:
        """The price of what was counted."""
        return self.written * WRITE_PRICE + self.read * READ_PRICE

    def _request_counts(self, params: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**params, "ReturnConsumedCapacity": "TOTAL"}

    def _count_request(self, model: Any, params: dict[str, Any], **_: Any) -> None:
        self.requests[model.name] += 1
        body = json.loads(params["body"])
        if model.name == "PutItem":
            self.written += math.ceil(item_size(body["Item"]) / 1024)
        elif model.name == "UpdateItem":
            self.written += 1  # of an item that is far below a KB
        elif model.name == "GetItem":
            self.read += 1
        elif model.name == "BatchGetItem":
            self.read += 2

    def _count_response(self, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        if model.name == "Query":
            size = sum(map(item_size, parsed.get("Items", ())))
            self.read += max(1, math.ceil(size / 4096)) / 2
        self.refused += parsed.get("Error", {}).get("Code") == "ConditionalCheckFailedException"
        consumed = parsed.get("ConsumedCapacity") or ()
        for one in consumed if isinstance(consumed, list) else [consumed] if consumed else ():
            writes = model.name in ("PutItem", "UpdateItem")
            self.reported["write" if writes else "read"] += one["CapacityUnits"]


TOKENS, A_SECOND = 500, 50


def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    """A block as OpenAI sends it: some 300 bytes, a random part among them."""
    body = {
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
    return b"data: " + json.dumps(body, separators=(",", ":")).encode() + b"\n\n"


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


@dataclass(frozen=True, slots=True)
class Cost:
    """What one stream has cost: at its producer, and at one viewer in another process."""

    producer: Meter
    viewer: Meter
    blocks: int

    @property
    def written(self) -> float:
        """Write units."""
        return self.producer.written + self.viewer.written

    @property
    def read(self) -> float:
        """Read units."""
        return self.producer.read + self.viewer.read

    @property
    def dollars_per_thousand(self) -> float:
        """The price of a thousand such streams."""
        return (self.producer.dollars + self.viewer.dollars) * 1000


async def one_stream(here: DynamoDBStore, there: DynamoDBStore) -> Cost:
    """Run the stream, and have it read elsewhere as it comes."""
    cost = Meter(), Meter()
    for store, meter in zip((here, there), cost, strict=True):
        meter.watch(store.table.connected())
    producer = Hub(Limits(), durability=Durability(here))
    viewer = Hub(Limits(), durability=Durability(there))
    meta = Meta(new_id(), "me", "openai", "chat", "gpt-5", 1)
    stream = await producer.start(meta, Source(framed(upstream), DIALECT.decoder()), CONTINUE)
    remote = await viewer.find(meta.id, "me")
    blocks = 0
    with viewer.watch(remote, 1) as reader:
        while reader.ended is None:
            await reader.wait(10)
            blocks += len(reader.take())
    await producer.settled(stream)
    await producer.aclose()
    await viewer.aclose()
    return Cost(*cost, blocks)
