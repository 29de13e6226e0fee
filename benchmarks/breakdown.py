"""Time to the first byte by stage: each stage of a request, alone, in this process."""

from __future__ import annotations

import io
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
from aws_lambda_powertools import Logger
from starlette.types import Message

from tokenwire.app import create_app
from tokenwire.dialects.chat import parse
from tokenwire.providers.config import Config
from tokenwire.providers.openai.provider import OpenAIProvider
from tokenwire.secrets import Secrets
from tokenwire.settings import load

_TIMES = 300
_ASK = {"model": "openai/one", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}


async def breakdown(port: int) -> list[str]:
    """One line for each stage."""
    base_url = f"http://127.0.0.1:{port}/v1"
    environ = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": base_url, "TOKENWIRE_AUTH": "none"}
    app = create_app(
        load(environ, Path("/nonexistent")),
        Secrets(environ),
        Logger(service="breakdown", stream=io.StringIO()),
    )
    provider = OpenAIProvider(
        "openai", Secrets(environ).key("env:OPENAI_API_KEY"), Config(base_url)
    )
    request = parse(_ASK)

    async def request_stream() -> None:
        async with provider.open(request, "one") as body:
            async for _ in body:
                pass

    async with httpx2.AsyncClient() as client:

        async def bare() -> None:
            await client.post(f"{base_url}/chat/completions", json=_ASK)

        async def probe() -> None:
            await app(_scope("GET", "/healthz"), _receive, _send)

        stages: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("one request through httpx2, to its end", bare),
            ("the same through the provider, as a stream is requested", request_stream),
            ("the app around a route that does nothing, log line included", probe),
        ]
        found = [f"{await _cost(stage):5.2f}  {name}" for name, stage in stages]
    await provider.aclose()
    return found


async def _cost(stage: Callable[[], Awaitable[None]]) -> float:
    for _ in range(30):
        await stage()
    before = time.process_time()
    for _ in range(_TIMES):
        await stage()
    return (time.process_time() - before) / _TIMES * 1e3


def _scope(method: str, path: str) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }


async def _receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _send(_: Message) -> None:
    pass
