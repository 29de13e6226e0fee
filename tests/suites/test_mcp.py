"""MCP's official client against an MCP server behind the local function URL."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import httpx2
import pytest

from tests.fakes.ports import reserved_port
from tests.suites.launching import PATIENCE, output, running

pytestmark = [pytest.mark.judge, pytest.mark.timeout(3 * PATIENCE)]


async def listening(port: int) -> None:
    """Wait until the function URL answers."""
    deadline = time.monotonic() + PATIENCE
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        while time.monotonic() < deadline:
            try:
                await client.get(f"http://127.0.0.1:{port}/")
                return
            except httpx2.TransportError:
                await asyncio.sleep(0.2)
    raise TimeoutError


@pytest.mark.parametrize(
    ("server", "mode", "options"),
    [
        ("stateless", "auto", ()),
        ("stateless", "legacy", ()),
        ("stateful", "legacy", ("--environments", "1", "--concurrency", "16")),
    ],
)
async def test_mcp_client_is_served(
    server: str, mode: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    """Stateless with one request in an environment; with sessions where one process takes many."""
    port = reserved_port()
    arguments = ["tests.suites.programs.mcp_server:handler", "--port", str(port), *options]
    async with running(tmp_path / "log", "lambda_asgi.local", *arguments, MCP=server):
        await listening(port)
        url = f"http://127.0.0.1:{port}/mcp"
        found = json.loads(await output("tests.suites.programs.mcp_client", url, mode))
    assert found == {
        "tools": ["add", "count"],
        "found": [{"result": 3}, {"result": 5}],
        "progress": [1.0, 2.0, 3.0, 4.0, 5.0],
    }
