"""``examples/next-ai-sdk``: ``useChat`` of the AI SDK behind route handlers of Next.js."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest

from tests.conftest import Serve
from tests.e2e.conftest import ONE_MODEL, Chromium
from tests.examples.conftest import EXAMPLES, drive, free_port, running
from tests.fakes.node import NODE
from tests.fakes.upstream import Upstream

HERE = EXAMPLES / "next-ai-sdk"
NEXT = HERE / "node_modules/next/dist/bin/next"
KEY = "key-one-of-tests"

pytestmark = [
    pytest.mark.example,
    pytest.mark.skipif(not NEXT.exists(), reason="skipped: npm could not install it"),
]


async def test_use_chat_streams_resumes_and_stops(
    provider: Upstream, serve: Serve, chromium: Chromium
) -> None:
    """The production build; the key stays in Next's process, and ids lead to no other route."""
    client = await serve(provider, **ONE_MODEL, TOKENWIRE_API_KEYS=KEY)
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    environ = {"TOKENWIRE_URL": str(client.base_url).rstrip("/"), "TOKENWIRE_KEY": KEY}
    environ["NEXT_TELEMETRY_DISABLED"] = "1"
    command: list[str | Path] = [NODE, NEXT, "start", "--hostname", "127.0.0.1", "--port", port]
    async with running(*command, at=HERE, url=url, environ=environ):
        await drive((await chromium.tab(url)).page, provider)
        async with httpx2.AsyncClient(base_url=url, trust_env=False) as stranger:
            for chat in ("..%2F..%2Fv1%2Fmodels%3F", "%2e%2e", "a" * 65):
                assert (await stranger.get(f"/api/chat/{chat}/stream")).status_code == 404
