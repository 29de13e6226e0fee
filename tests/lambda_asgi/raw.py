"""The raw runtime behind the local function URL, and a client that gives it instructions."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.fakes.function_url import function_url

COMMAND = (sys.executable, str(Path(__file__).with_name("raw_runtime.py")))
STREAMED = {
    "Lambda-Runtime-Function-Response-Mode": "streaming",
    "Content-Type": "application/vnd.awslambda.http-integration-response",
}


@asynccontextmanager
async def raw_url(environ: dict[str, str] | None = None, **how: Any) -> AsyncIterator[str]:
    """The base URL of a function that runs the raw runtime."""
    settings = {"concurrency": 1, "environments": 4, "command": COMMAND, **how}
    async with function_url(environ or {}, "none", **settings) as url:
        yield url


@asynccontextmanager
async def raw_client(environ: dict[str, str] | None = None, **how: Any) -> AsyncIterator[Instruct]:
    """Posts instructions to that function."""
    async with (
        raw_url(environ, **how) as url,
        httpx2.AsyncClient(base_url=url, timeout=60, trust_env=False, verify=False) as client,
    ):
        yield Instruct(client)


class Instruct:
    """A client whose requests are instructions for the raw runtime."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client

    async def __call__(self, **wanted: Any) -> httpx2.Response:
        """Have the runtime send this."""
        return await self.client.post("/", json=wanted)

    async def streamed(self, prelude: str, *parts: str, **more: Any) -> httpx2.Response:
        """Have the runtime stream a prelude and a body."""
        first = prelude + "\0" * 8
        return await self(headers=STREAMED, parts=[first, *parts], **more)
