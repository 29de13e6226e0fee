"""Each request in its own environment, as on Lambda: streams are only shared by the store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import ONE_MODEL, Chromium
from tests.fakes.function_url import function_url
from tests.fakes.upstream import DONE, ROLE, STOP, Upstream, text
from tests.http.reading import Watching, printed, read, text_of
from tests.stores.servers import Server

pytestmark = pytest.mark.timed

ASK = {"message": "x", "model": "openai/m"}
STORES = pytest.mark.parametrize("kind", ["redis", "moto"])


@asynccontextmanager
async def lambda_like(
    provider: Upstream, server: Server, *, seconds: float = 30, **settings: str
) -> AsyncIterator[httpx2.AsyncClient]:
    """Return a client of a function with a store, and a process for each request."""
    environ = {
        "OPENAI_API_KEY": "sk-one",
        "OPENAI_BASE_URL": provider.base_url,
        "TOKENWIRE_STORE": server.url,
        "TOKENWIRE_LEASE": "2",
        "TOKENWIRE_VIEWER_LEASE": "3",
        "TOKENWIRE_HEARTBEAT": "0.3",
        # For the page, which does not choose a model.
        **ONE_MODEL,
        **server.environ,
        **settings,
    }
    opened = function_url(
        environ, concurrency=1, environments=12, timeout=seconds, tells_disconnect=False
    )
    async with (
        opened as url,
        httpx2.AsyncClient(base_url=url, timeout=40, trust_env=False) as client,
    ):
        yield client


@asynccontextmanager
async def post(client: httpx2.AsyncClient, body: object, **headers: str) -> AsyncIterator[Watching]:
    """Request typed events."""
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.stream("POST", "/api/stream", json=body, headers=extra) as response:
        assert response.status_code == 200
        yield Watching(response)


@STORES
async def test_start_reload_cancel(
    kind: str, provider: Upstream, server_of: Callable[[str], Server]
) -> None:
    """Started in one environment, resumed from another on reload, cancelled from a third.

    The first closes its upstream, although its client has disconnected and the model is silent.
    """
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two "), asyncio.Event())
    async with lambda_like(provider, server_of(kind)) as client:
        async with post(client, ASK) as first:
            await first.until(b"one")
        url = f"/v1/streams/{first.id}"
        async with client.stream("GET", url, headers=first.last) as response:
            second = Watching(response)
            gate.set()
            await second.until(b"two")
            answer = await client.post(f"{url}/cancel")
            assert answer.json() == {"id": first.id, "end_reason": "cancelled"}
            async with asyncio.timeout(5):
                await provider.requests[0].closed.wait()
            await second.until(b"cancelled")
        assert text_of(first.received) + text_of(second.received) == "one two "
        over = await client.get(url, headers=second.last)
        assert over.status_code == 204
    assert len(provider.requests) == 1


@STORES
async def test_worker_runs_a_stream_without_viewers(
    kind: str,
    provider: Upstream,
    server_of: Callable[[str], Server],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """``POST /v1/streams`` responds immediately with a URL for EventSource; a worker generates."""
    provider.answer(ROLE, text("a"), STOP, DONE)
    async with lambda_like(provider, server_of(kind)) as client:
        started = await client.post("/v1/streams", json=ASK)
        assert started.status_code == 201
        watched = await client.get(started.json()["url"])
        assert text_of(watched.content) == "a"
        lines = [json.loads(x) for x in (await printed(capfd, 3)).splitlines() if '"request"' in x]
    (line,) = [line for line in lines if line["http"]["route"] == "tokenwire.worker"]
    assert line["stream_id"] == started.json()["id"]
    assert (line["end_reason"], line["store"], line["dialect"]) == ("done", "kept", "chat")
    assert line["upstream"]["blocks"] == 3
    assert len(provider.requests) == 1


@STORES
async def test_stream_goes_on_past_the_deadline(
    kind: str, provider: Upstream, server_of: Callable[[str], Server]
) -> None:
    """With ``continue`` a worker runs the stream, and viewers are reconnected before deadlines."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two"), STOP, DONE)
    async with lambda_like(provider, server_of(kind), seconds=5) as client:
        body = {**ASK, "on_disconnect": "continue"}
        follows = asyncio.create_task(client.post("/api/stream", json=body))
        # The worker's environment starts about half a second later.
        first = await follows
        assert text_of(first.content) == "one "
        _, reported = read(first.content)[-1]
        assert (reported["type"], reported["code"]) == ("error", "connection_expired")
        assert reported["retryable"] is True
        stream_id = first.headers["x-stream-id"]
        last = [event_id for event_id, _ in read(first.content) if event_id][-1]
        gate.set()
        second = await client.get(f"/v1/streams/{stream_id}", headers={"last-event-id": last})
        assert text_of(second.content) == "two"
        assert len(provider.requests) == 1


@STORES
async def test_client_reports_that_it_leaves(
    kind: str, provider: Upstream, server_of: Callable[[str], Server]
) -> None:
    """If a client reports that it leaves, the stream is cancelled and generates no more tokens."""
    provider.answer(ROLE, text("a"), asyncio.Event())
    viewer = "v_0123456789"
    async with lambda_like(provider, server_of(kind)) as client:
        body = {**ASK, "on_disconnect": "cancel"}
        async with post(client, body, x_tokenwire_viewer=viewer) as first:
            assert first.response.headers["x-tokenwire-lease"] == "3"
            await first.until(b'"a"')
            lease = f"/v1/streams/{first.id}/viewers/{viewer}"
            for _ in range(3):
                await asyncio.sleep(1.5)
                assert (await client.post(lease)).status_code == 204
            assert not provider.requests[0].closed.is_set()
        assert (await client.post(f"{lease}/leave")).status_code == 204
        async with asyncio.timeout(5):
            await provider.requests[0].closed.wait()


async def test_a_lease_that_is_not_renewed_runs_out(
    provider: Upstream, server_of: Callable[[str], Server]
) -> None:
    """A lease that is not renewed expires; a client without a lease is not counted."""
    provider.answer(ROLE, text("a"), asyncio.Event())
    async with lambda_like(provider, server_of("redis"), TOKENWIRE_VIEWER_LEASE="1") as client:
        body = {**ASK, "on_disconnect": "cancel"}
        async with post(client, body) as without:
            await without.until(b'"a"')
        async with post(client, body, x_tokenwire_viewer="v_0123456789") as crashed:
            await crashed.until(b'"a"')
        async with asyncio.timeout(8):
            await provider.requests[1].closed.wait()
        assert not provider.requests[0].closed.is_set()
        await client.post(f"/v1/streams/{without.id}/cancel")


async def test_wrong_viewers_get_errors(
    provider: Upstream, server_of: Callable[[str], Server]
) -> None:
    """Malformed viewer ids, unknown streams and streams of other callers are refused."""
    provider.answer(ROLE, text("a"), STOP, DONE)
    keys = "key-one-of-tests,key-two-of-tests"
    async with lambda_like(provider, server_of("redis"), TOKENWIRE_API_KEYS=keys) as client:
        mine, yours = ({"authorization": f"Bearer {key}"} for key in keys.split(","))
        stream = await client.post("/api/stream", json=ASK, headers=mine)
        path = f"/v1/streams/{stream.headers['x-stream-id']}/viewers"
        assert (await client.post(f"{path}/v_0123456789", headers=mine)).status_code == 204
        for url, headers, status, code in (
            (f"{path}/x", mine, 400, "invalid_value"),
            (f"{path}/v_0123456789", yours, 404, "stream_not_found"),
            (f"{path}/v_0123456789/leave", yours, 404, "stream_not_found"),
            ("/v1/streams/st_none/viewers/v_0123456789", mine, 404, "stream_not_found"),
        ):
            answer = await client.post(url, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (status, code)


@STORES
async def test_retry_and_chat_are_found_again(
    kind: str, provider: Upstream, server_of: Callable[[str], Server]
) -> None:
    """``Idempotency-Key``, ``messageId``, and ``useChat``'s resume and stop work from others."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two"), STOP, DONE)
    provider.answer(ROLE, text("chat"), asyncio.Event())
    async with lambda_like(provider, server_of(kind)) as client:
        async with post(client, ASK, idempotency_key=f"k-{kind}") as first:
            await first.until(b"one")
        async with post(client, ASK, idempotency_key=f"k-{kind}") as retried:
            await retried.until(b"one")
            gate.set()
            assert text_of(await retried.rest()) == "one two"
        query = {"prompt": ASK["message"], "model": ASK["model"], "messageId": f"k-{kind}"}
        opened = await client.get("/api/stream", params=query)
        assert text_of(opened.content) == "one two"
        assert len(provider.requests) == 1

        chat_id = f"chat-{kind}"
        parts = [{"type": "text", "text": "x"}]
        body: Any = {"id": chat_id, "model": "openai/m"}
        body["messages"] = [{"role": "user", "parts": parts}]
        async with client.stream("POST", "/api/chat", json=body) as response:
            await Watching(response).until(b"chat")
        async with client.stream("GET", f"/api/chat/{chat_id}/stream") as response:
            resumed = Watching(response)
            await resumed.until(b"chat")
            stopped = await client.post(f"/api/chat/{chat_id}/stop")
            assert stopped.json()["end_reason"] == "cancelled"
            async with asyncio.timeout(5):
                await provider.requests[1].closed.wait()
            await resumed.until(b"[DONE]")
        assert (await client.get(f"/api/chat/{chat_id}/stream")).status_code == 204


ANSWER = ".turn.assistant .body"


async def requested(client: httpx2.AsyncClient, chromium: Chromium) -> Page:
    """Open the page, send a question, and wait for the start of the answer."""
    page = (await chromium.tab(str(client.base_url))).page
    await page.fill("#prompt", "Hi")
    await page.keyboard.press("Enter")
    await expect(page.locator(ANSWER)).to_contain_text("one", timeout=20_000)
    return page


@STORES
async def test_page_reloads_and_stops(
    kind: str, provider: Upstream, server_of: Callable[[str], Server], chromium: Chromium
) -> None:
    """In a real browser, a reload and Stop during an answer work, and one answer is generated."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two "), asyncio.Event())
    async with lambda_like(provider, server_of(kind)) as client:
        page = await requested(client, chromium)
        await page.reload()
        await expect(page.locator(ANSWER)).to_contain_text("one")
        gate.set()
        await expect(page.locator(ANSWER)).to_have_text("one two", timeout=20_000)
        await page.click("#stop")
        async with asyncio.timeout(10):
            await provider.requests[0].closed.wait()
        await expect(page.locator(".note")).to_contain_text("Stopped.", timeout=10_000)
    assert len(provider.requests) == 1


async def test_closing_the_tab_saves_the_tokens(
    provider: Upstream, server_of: Callable[[str], Server], chromium: Chromium
) -> None:
    """The page renews its lease while it is open, and reports that it leaves."""
    provider.answer(ROLE, text("one "), asyncio.Event())
    async with lambda_like(provider, server_of("redis")) as client:
        page = (await chromium.tab(str(client.base_url))).page
        await page.evaluate(
            """async () => {
                const { stream } = await import("/tokenwire.js");
                const answer = stream({ message: "Hi", on_disconnect: "cancel" });
                await new Promise((resolve) => (async () => {
                    for await (const { type } of answer) if (type === "content") resolve();
                })());
            }"""
        )
        await asyncio.sleep(5)  # longer than a lease
        assert not provider.requests[0].closed.is_set()
        await page.goto("about:blank")
        async with asyncio.timeout(10):
            await provider.requests[0].closed.wait()
