"""``Idempotency-Key``: a retry joins its stream instead of paying for a second one."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from tests.conftest import Serve
from tests.fakes.upstream import DONE, ROLE, STOP, Upstream, text, whole
from tests.http.reading import text_of, viewers

KEY = {"idempotency-key": "k-1"}
MESSAGES = [{"role": "user", "content": "x"}]
BODIES: dict[str, dict[str, Any]] = {
    "/api/stream": {"message": "x", "model": "openai/m"},
    "/v1/chat/completions": {"model": "openai/m", "messages": MESSAGES, "stream": True},
    "/v1/messages": {"model": "openai/m", "messages": MESSAGES, "max_tokens": 9, "stream": True},
    "/v1/responses": {"model": "openai/m", "input": "x", "stream": True},
    "/api/chat": {
        "model": "openai/m",
        "messages": [{"role": "user", "parts": [{"type": "text", "text": "x"}]}],
    },
}


@pytest.mark.parametrize("path", BODIES)
async def test_retry_joins_the_running_stream(path: str, provider: Upstream, serve: Serve) -> None:
    """A request that is sent again after a disconnect gets all of the same answer."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two"), STOP, DONE)
    client = await serve(provider)
    async with client.stream("POST", path, json=BODIES[path], headers=KEY) as response:
        first = response.headers["x-stream-id"]
        parts = response.aiter_bytes()
        while b"one" not in await anext(parts):
            pass
    await viewers(client, 0)
    again = asyncio.create_task(client.post(path, json=BODIES[path], headers=KEY))
    await viewers(client, 1)
    gate.set()
    received = await again
    assert received.headers["x-stream-id"] == first
    assert "one " in received.text
    assert "two" in received.text
    once_more = await client.post(path, json=BODIES[path], headers=KEY)
    assert once_more.headers["x-stream-id"] == first
    assert len(provider.requests) == 1


async def test_key_is_its_caller_s_and_its_request_s(provider: Upstream, serve: Serve) -> None:
    """Callers have keys of their own; a key with another body or route is refused."""
    provider.answer(*whole("a"))
    client = await serve(provider, TOKENWIRE_API_KEYS="key-one-of-tests,key-two-of-tests")
    ask = BODIES["/api/stream"]

    async def post(key: str, body: dict[str, Any], path: str = "/api/stream") -> httpx2.Response:
        headers = {**KEY, "authorization": f"Bearer {key}"}
        return await client.post(path, json=body, headers=headers)

    first, other = await post("key-one-of-tests", ask), await post("key-two-of-tests", ask)
    assert first.headers["x-stream-id"] != other.headers["x-stream-id"]
    reused = await post("key-one-of-tests", {**ask, "message": "y"})
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")
    elsewhere = await post("key-one-of-tests", BODIES["/v1/messages"], "/v1/messages")
    assert elsewhere.status_code == 422
    assert len(provider.requests) == 2


async def test_failed_streams_do_not_count(provider: Upstream, serve: Serve) -> None:
    """A retry after a failure starts a new stream."""
    provider.answer(status=400)
    provider.answer(*whole("a"))
    client = await serve(provider)
    ask = BODIES["/api/stream"]
    await client.post("/api/stream", json=ask, headers=KEY)
    again = await client.post("/api/stream", json=ask, headers=KEY)
    assert text_of(again.content) == "a"
    assert len(provider.requests) == 2


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_malformed_keys_are_refused(key: str, serve: Serve) -> None:
    """A malformed key is an error; it is not ignored."""
    client = await serve()
    headers = {"idempotency-key": key}
    response = await client.post("/api/stream", json={"message": "x"}, headers=headers)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_value")
