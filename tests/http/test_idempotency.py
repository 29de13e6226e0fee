"""``Idempotency-Key`` and ``messageId``: a retry joins its stream and pays once."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from tests.conftest import Serve
from tests.fakes.upstream import DONE, ROLE, STOP, Upstream, complete, text
from tests.http.reading import Watching, read, text_of, viewers

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
    provider.answer(*complete("a"))
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
    provider.answer(*complete("a"))
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


ASK = {"prompt": "x", "model": "openai/m", "messageId": "m-1"}


async def test_same_url_joins_its_stream(provider: Upstream, serve: Serve) -> None:
    """A GET with a ``messageId`` can be opened anew: it replays what was produced and goes on."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two"), STOP, DONE)
    client = await serve(provider)
    async with client.stream("GET", "/api/stream", params=ASK) as response:
        first = Watching(response)
        await first.until(b"one")
    await viewers(client, 0)
    again = asyncio.create_task(client.get("/api/stream", params=ASK))
    await viewers(client, 1)
    resumed = asyncio.create_task(client.get("/api/stream", params=ASK, headers=first.last))
    await viewers(client, 2)
    gate.set()

    replayed, rest = await again, await resumed

    assert (text_of(replayed.content), text_of(rest.content)) == ("one two", "two")
    assert replayed.headers["x-stream-id"] == first.id == rest.headers["x-stream-id"]
    after_the_end = await client.get("/api/stream", params=ASK)
    assert after_the_end.content == replayed.content
    assert len(provider.requests) == 1


async def test_url_that_is_opened_at_once_pays_once(provider: Upstream, serve: Serve) -> None:
    """Tabs that open the same URL at the same time get the same answer."""
    provider.answer(*complete("a"))
    client = await serve(provider)
    answers = await asyncio.gather(*(client.get("/api/stream", params=ASK) for _ in range(5)))
    assert {text_of(answer.content) for answer in answers} == {"a"}
    assert len({answer.headers["x-stream-id"] for answer in answers}) == 1
    assert len(provider.requests) == 1


async def test_message_id_and_header_are_one_key(provider: Upstream, serve: Serve) -> None:
    """A POST with the id as its ``Idempotency-Key`` joins the stream of an equal GET."""
    provider.answer(*complete("a"))
    client = await serve(provider)
    got = await client.get("/api/stream", params=ASK)
    headers = {"idempotency-key": "m-1"}
    posted = await client.post("/api/stream", json=BODIES["/api/stream"], headers=headers)
    assert posted.headers["x-stream-id"] == got.headers["x-stream-id"]
    assert len(provider.requests) == 1


async def test_message_id_is_its_caller_s_and_its_prompt_s(
    provider: Upstream, serve: Serve
) -> None:
    """Callers have ids of their own; an id with another prompt or model is refused."""
    provider.answer(*complete("a"))
    client = await serve(provider, TOKENWIRE_API_KEYS="key-one-of-tests,key-two-of-tests")

    async def get(key: str, **changed: str) -> httpx2.Response:
        headers = {"authorization": f"Bearer {key}"}
        return await client.get("/api/stream", params={**ASK, **changed}, headers=headers)

    first, other = await get("key-one-of-tests"), await get("key-two-of-tests")
    assert first.headers["x-stream-id"] != other.headers["x-stream-id"]
    for changed in ({"prompt": "y"}, {"model": "openai/n"}):
        reused = await get("key-one-of-tests", **changed)
        error = reused.json()
        assert (reused.status_code, error["code"]) == (422, "idempotency_key_reused")
        assert error["param"] == "messageId"
    assert len(provider.requests) == 2


async def test_failed_stream_does_not_count_for_its_message_id(
    provider: Upstream, serve: Serve
) -> None:
    """After a failure, a reconnect gets 204, and a fresh open starts another stream."""
    provider.answer(status=400)
    provider.answer(*complete("a"))
    client = await serve(provider)
    failed = await client.get("/api/stream", params=ASK)
    last = {"last-event-id": read(failed.content)[-1][0]}
    assert (await client.get("/api/stream", params=ASK, headers=last)).status_code == 204
    assert text_of((await client.get("/api/stream", params=ASK)).content) == "a"
    assert len(provider.requests) == 2


@pytest.mark.parametrize("name", ["", "m" * 256, "a b", "a/b", "a\n", "ä", "٣"])
async def test_malformed_message_ids_are_refused(name: str, serve: Serve) -> None:
    """An id has 1 to 255 characters that need no encoding; the error names the field."""
    client = await serve()
    response = await client.get("/api/stream", params={"prompt": "x", "messageId": name})
    error = response.json()
    assert (response.status_code, error["code"]) == (400, "invalid_value")
    assert error["param"] == "messageId"


async def test_longest_message_id(provider: Upstream, serve: Serve) -> None:
    """Every character that is allowed, 255 of them, is an id."""
    provider.answer(*complete("a"))
    client = await serve(provider)
    parameters = {**ASK, "messageId": ("azAZ09._:~-" * 24)[:255]}
    first = await client.get("/api/stream", params=parameters)
    again = await client.get("/api/stream", params=parameters)
    assert (first.status_code, again.content) == (200, first.content)
    assert len(provider.requests) == 1
