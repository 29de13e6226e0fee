"""Memory of the process after hundreds of hostile requests."""

from __future__ import annotations

import gc

import httpx2
import pytest

from tests.conftest import Serve
from tests.e2e.test_load import resident
from tests.fakes.upstream import Upstream

pytestmark = [
    pytest.mark.serial,
    pytest.mark.timeout(300),
]
MB = 1_000_000


async def grown(client: httpx2.AsyncClient, body: bytes, status: int, count: int) -> int:
    """Return the growth of the process in bytes, from the tenth request to the last."""
    before = 0
    for number in range(count):
        response = await client.post("/v1/chat/completions", content=body)
        assert response.status_code == status, response.text[:200]
        if number == 10:
            gc.collect()
            before = resident()
    gc.collect()
    return resident() - before


async def test_names_of_nine_megabytes_are_not_kept(serve: Serve) -> None:
    """200 model names of 9 MB each are refused and leave no memory in use."""
    client = await serve(TOKENWIRE_MAX_TOTAL_BYTES=str(64 * MB))
    body = b'{"model":"%b","messages":[{"role":"user","content":"x"}]}' % (b"m" * 9 * MB)

    assert await grown(client, body, 400, 200) < 40 * MB


async def test_prompts_of_failed_requests_are_not_kept(provider: Upstream, serve: Serve) -> None:
    """200 prompts of 3 MB with a failing provider leave no memory in use."""
    client = await serve(provider, TOKENWIRE_CONFIG="tests/http/no_retries.toml")
    for _ in range(200):
        provider.answer(b"{}", status=400)
    body = b'{"model":"openai/m","messages":[{"role":"user","content":"%b"}]}' % (b"x" * 3 * MB)

    size = await grown(_forgetting(client, provider), body, 400, 200)

    assert size < 40 * MB


async def test_empty_objects_are_not_made(serve: Serve) -> None:
    """9.9 MB of ``{}`` (258 MB of objects) is refused before objects are created."""
    client = await serve()
    body = b'{"messages":[' + b"{}," * 3_299_000 + b"{}]}"
    peak = resident()

    assert await grown(client, body, 413, 100) < 20 * MB
    assert resident() - peak < 60 * MB


def _forgetting(client: httpx2.AsyncClient, provider: Upstream) -> httpx2.AsyncClient:
    """Return the client, with a provider that does not store requests."""

    async def forget(_: httpx2.Response) -> None:
        provider.requests.clear()

    client.event_hooks["response"] = [forget]
    return client
