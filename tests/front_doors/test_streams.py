"""A stream is the same through every front door: bytes, order, ends, resuming and leaving."""

from __future__ import annotations

import asyncio
import json

import httpx2
import openai
import pytest

from tests.fakes.upstream import DONE, ROLE, STOP, Act, Upstream, complete, text
from tests.front_doors.conftest import KEY
from tests.http.reading import Watching, read, text_of, types
from tokenwire.sse import Parser

pytestmark = [
    pytest.mark.outside,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("front doors"),
]

CHAT = "/v1/chat/completions"
ASK = {"model": "openai/gpt-x", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
WITH_USAGE = {**ASK, "stream_options": {"include_usage": True}}


async def test_stream_has_the_provider_s_bytes(
    provider: Upstream, client: httpx2.AsyncClient
) -> None:
    """Blocks pass as they are, with an id line before each, under the headers of a stream."""
    blocks = complete("Hel", "lö")
    provider.answer(*blocks)

    response = await client.post(CHAT, json=WITH_USAGE)

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache, no-transform"
    assert response.headers["x-accel-buffering"] == "no"
    assert response.headers["x-stream-id"].startswith("st_")
    assert "content-length" not in response.headers
    numbered = [b"id: 1-%d\n%b" % (n, block) for n, block in enumerate(blocks, 1)]
    assert response.content == b"".join(numbered)


async def test_first_token_comes_before_the_last_is_sent(
    provider: Upstream, client: httpx2.AsyncClient
) -> None:
    """The client has the first token while the provider still holds the second."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one"), gate, text("two"), STOP, DONE)

    async with client.stream("POST", CHAT, json=ASK) as response:
        watching = Watching(response)
        await watching.until(b"one")
        assert b"two" not in watching.received
        gate.set()
        assert b"two" in await watching.rest()


async def test_pings_come_before_and_between(provider: Upstream, keyed: httpx2.AsyncClient) -> None:
    """A ping is sent while the provider has not answered, and between two blocks."""
    head, middle = asyncio.Event(), asyncio.Event()
    provider.answer(ROLE, text("a"), middle, text("b"), STOP, DONE, before_head=(head,))

    async with keyed.stream("POST", CHAT, json=ASK) as response:
        watching = Watching(response)
        await watching.until(b": ping\n: ping\n")
        head.set()
        await watching.until(b"\n\n: ping\n")
        middle.set()
        received = await watching.rest()

    assert set(received.partition(b"id: 1-1\n")[0].splitlines()) == {b": ping"}
    assert [e.data for e in Parser().feed(received)][-1] == "[DONE]"


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ((ROLE, text("a"), Act.RESET), "upstream_disconnected"),
        (
            (ROLE, text("a"), b'data: {"error":{"type":"overloaded_error"}}\n\n'),
            "upstream_overloaded",
        ),
        ((ROLE, text("a")), "upstream_truncated"),
        ((ROLE, text("a"), b"data: {nonsense\n\n"), "upstream_malformed"),
    ],
)
async def test_failure_is_the_stream_s_last_block(
    steps: tuple[bytes | Act, ...], code: str, provider: Upstream, client: httpx2.AsyncClient
) -> None:
    """However the provider fails in mid-stream, the client reads the text and then the error."""
    provider.answer(*steps)
    response = await client.post(CHAT, json=ASK)
    *_, first, last = [json.loads(event.data) for event in Parser().feed(response.content)]
    assert first["choices"][0]["delta"]["content"] == "a"
    assert last["error"]["code"] == code
    assert b"[DONE]" not in response.content


async def test_silent_provider_is_timed_out(provider: Upstream, keyed: httpx2.AsyncClient) -> None:
    """The stream ends with the timeout's own code."""
    provider.answer(ROLE, text("a"), Act.STALL)
    response = await keyed.post("/api/stream", json={"message": "x"})
    assert text_of(response.content) == "a"
    assert read(response.content)[-1][1]["code"] == "timeout_idle"
    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)


async def test_leaving_closes_the_provider_s_connection(
    provider: Upstream, client: httpx2.AsyncClient
) -> None:
    """A chat client that goes away in mid-stream ends its stream."""
    provider.answer(ROLE, text("a"), Act.STALL)
    async with client.stream("POST", CHAT, json=ASK) as response:
        await Watching(response).until(b'"a"')
    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)


async def test_lost_stream_is_resumed(provider: Upstream, client: httpx2.AsyncClient) -> None:
    """A GET with Last-Event-ID joins the stream that it lost, and gets 204 once it has all."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two"), STOP, DONE)
    async with client.stream("GET", "/api/stream?prompt=Hi") as response:
        watching = Watching(response)
        await watching.until(b"one")
    gate.set()

    after = await client.get("/api/stream?prompt=Hi", headers=watching.last)

    assert text_of(watching.received) + text_of(after.content) == "one two"
    assert types(after.content) == ["content", "finish", "[DONE]"]
    end = {"last-event-id": read(after.content)[-1][0]}
    again = await client.get("/api/stream?prompt=Hi", headers=end)
    assert (again.status_code, again.content) == (204, b"")
    assert len(provider.requests) == 1


async def test_url_with_a_message_id_is_opened_anew(
    provider: Upstream, client: httpx2.AsyncClient
) -> None:
    """A GET with the same ``messageId`` replays what was produced and goes on; it pays once."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two"), STOP, DONE)
    url = "/api/stream?prompt=Hi&messageId=front-door"
    async with client.stream("GET", url) as response:
        first = Watching(response)
        await first.until(b"one")
    async with client.stream("GET", url) as response:
        again = Watching(response)
        await again.until(b"one")
        gate.set()
        assert text_of(await again.rest()) == "one two"
    other = await client.get("/api/stream?prompt=Ho&messageId=front-door")
    assert (other.status_code, other.json()["param"]) == (422, "messageId")
    assert (again.id, len(provider.requests)) == (first.id, 1)


async def test_stream_is_started_watched_and_cancelled(
    provider: Upstream, client: httpx2.AsyncClient
) -> None:
    """Cancelled from another connection, the provider's connection closes; the viewer gets it."""
    provider.answer(ROLE, text("a"), Act.STALL)
    started = await client.post("/v1/streams", json={"message": "x"})
    assert started.status_code == 201
    async with client.stream("GET", started.json()["url"]) as response:
        watching = Watching(response)
        await watching.until(b'"a"')
        url = f"/v1/streams/{started.json()['id']}/cancel"
        assert (await client.post(url)).json()["end_reason"] == "cancelled"
        received = await watching.rest()
    assert read(received)[-1][1]["code"] == "cancelled"
    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)


async def test_two_watch_one_stream(provider: Upstream, client: httpx2.AsyncClient) -> None:
    """Two viewers read the same blocks of one stream, each in another dialect."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two"), STOP, DONE)
    async with client.stream("POST", "/api/stream", json={"message": "x"}) as response:
        watching = Watching(response)
        await watching.until(b"one")
        url = f"/v1/streams/{watching.id}?format=chat"
        async with client.stream("GET", url) as other:
            late = Watching(other)
            await late.until(b"one")
            gate.set()
            assert text_of(await watching.rest()) == "one two"
            assert (await late.rest()).endswith(DONE)
    assert len(provider.requests) == 1


async def test_streams_at_once_do_not_mix(provider: Upstream, client: httpx2.AsyncClient) -> None:
    """Twenty requests at a time have ids of their own, and each its own answer."""
    messages = [{"role": "user", "content": f"/echo {number}"} for number in range(20)]
    answers = await asyncio.gather(
        *(
            client.post(CHAT, json={"model": "demo/fast", "messages": [message], "stream": True})
            for message in messages
        )
    )
    for name in ("x-stream-id", "x-request-id"):
        assert len({answer.headers[name] for answer in answers}) == 20
    assert {answer.content[-14:] for answer in answers} == {DONE}
    assert provider.requests == []


async def test_official_sdk_reads_it(provider: Upstream, guarded_url: str) -> None:
    """The OpenAI SDK gets the text, the finish and the usage."""
    provider.answer(*complete("Hel", "lo"))
    async with openai.AsyncOpenAI(base_url=f"{guarded_url}/v1", api_key=KEY) as sdk:
        stream = await sdk.chat.completions.create(
            model="openai/gpt-x",
            messages=[{"role": "user", "content": "Hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Hello"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 5
