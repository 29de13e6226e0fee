"""Reading typed events in tests: from bytes to (id, JSON) pairs."""

from __future__ import annotations

import asyncio
import json
from typing import Any, TypeAlias

import httpx2
import pytest

from tokenwire.sse import Parser

Events: TypeAlias = list[tuple[str, Any]]


def read(body: bytes) -> Events:
    """Each event's id and its data, decoded; ``[DONE]`` stays a string."""
    parsed = Parser().feed(body)
    return [(e.last_event_id, e.data if e.data == "[DONE]" else json.loads(e.data)) for e in parsed]


def types(body: bytes) -> list[str]:
    """The types of the events, in order."""
    return [
        received if isinstance(received, str) else received["type"] for _, received in read(body)
    ]


def text_of(body: bytes) -> str:
    """The answer's text."""
    return "".join(s["delta"] for _, s in read(body) if s != "[DONE]" and s["type"] == "content")


async def printed(capfd: pytest.CaptureFixture[str], count: int, word: str = '"request"') -> str:
    """What was printed, once so many lines have this word: a function's come from its process."""
    received = ""
    async with asyncio.timeout(10):
        while sum(word in line for line in received.splitlines()) < count:
            received += capfd.readouterr().out
            await asyncio.sleep(0.01)
    return received


async def viewers(client: httpx2.AsyncClient, count: int) -> None:
    """Wait until the server has so many viewers of streams; it needs no key."""
    line = f"tokenwire_open_viewers {count}.0"
    async with asyncio.timeout(20):
        while line not in (await client.get("/metrics")).text:
            await asyncio.sleep(0.01)


class Watching:
    """One client of a stream: the bytes that it has read, and its end."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self.received = b""
        self._parts = response.aiter_bytes()

    @property
    def id(self) -> str:
        """The stream's."""
        found: str = self.response.headers["x-stream-id"]
        return found

    @property
    def last(self) -> dict[str, str]:
        """The header that a client comes back with."""
        return {"last-event-id": read(self.received)[-1][0]}

    async def until(self, word: bytes) -> None:
        """Read until this has come."""
        async with asyncio.timeout(20):
            while word not in self.received:
                self.received += await anext(self._parts)

    async def rest(self) -> bytes:
        """Read to the end; return everything that was received."""
        async for part in self._parts:
            self.received += part
        return self.received
