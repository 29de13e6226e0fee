"""``examples/fastapi_mount``: tokenwire under a prefix of another app."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx2

from tests.e2e.conftest import ONE_MODEL, Chromium
from tests.examples.conftest import EXAMPLES, drive, free_port, running
from tests.fakes.upstream import Upstream


async def test_mounted_app_streams_resumes_and_stops(
    provider: Upstream, chromium: Chromium, tmp_path: Path
) -> None:
    """A page with an ``EventSource``; the outer app keeps its own routes."""
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    environ = {**ONE_MODEL, "OPENAI_API_KEY": "sk-secret", "OPENAI_BASE_URL": provider.base_url}
    environ["TOKENWIRE_CONFIG"] = str(Path(ONE_MODEL["TOKENWIRE_CONFIG"]).absolute())
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "uvicorn",
        "--app-dir",
        EXAMPLES / "fastapi_mount",
        "app:app",
    ]
    async with running(*command, "--port", port, at=tmp_path, url=url, environ=environ):
        await drive((await chromium.tab(url)).page, provider, remembers=False)
        async with httpx2.AsyncClient(base_url=url, trust_env=False) as client:
            assert (await client.get("/hello")).json() == {"hello": "world"}
            refused = await client.post("/llm/v1/messages", json={})
            assert refused.json()["error"]["type"] == "invalid_request_error"
