"""The routes of the other dialects: resuming, cancelling, translating, refusing."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest

from tests.conftest import Serve
from tests.fakes.upstream import DONE, ROLE, STOP, Act, Upstream, complete, text
from tests.http.reading import viewers
from tests.matrix.cases import recording, split
from tests.matrix.python_clients import of_message
from tokenwire.dialects import DIALECTS
from tokenwire.sse import data_of

ASK = {"model": "openai/m", "input": "Hi", "stream": True}
CHAT = {
    "id": "c1",
    "messages": [{"id": "1", "role": "user", "parts": [{"type": "text", "text": "x"}]}],
}


def events(body: bytes) -> list[Any]:
    """The JSON of each block."""
    found = [data_of(block) or b"" for block in split(body)]
    return [json.loads(data) for data in found if data.strip() not in (b"", b"[DONE]")]


async def serving(provider: Upstream, serve: Serve, **settings: str) -> httpx2.AsyncClient:
    """The app, with the scripted provider as both of its kinds."""
    anthropic = {"ANTHROPIC_API_KEY": "sk-two", "ANTHROPIC_BASE_URL": provider.base_url}
    return await serve(provider, TOKENWIRE_DEFAULT_MODEL="openai/m", **anthropic, **settings)


async def test_responses_resume_by_number(provider: Upstream, serve: Serve) -> None:
    """A response of any provider resumes after any number, without a gap."""
    provider.answer(recording("reasoning", "messages"))
    client = await serving(provider, serve)
    first = await client.post("/v1/responses", json={**ASK, "model": "anthropic/m"})
    everything = events(first.content)
    assert [event["sequence_number"] for event in everything] == list(range(len(everything)))
    response_id = everything[0]["response"]["id"]
    for after in range(-1, len(everything)):
        rest = await client.get(f"/v1/responses/{response_id}?stream=true&starting_after={after}")
        assert events(rest.content) == everything[after + 1 :]
    read = (await client.get(f"/v1/responses/{response_id}")).json()
    assert read == everything[-1]["response"]
    assert read["status"] == "completed"
    assert len(provider.requests) == 1


async def test_running_response_is_read_and_cancelled(provider: Upstream, serve: Serve) -> None:
    """A running response can be read; cancelling it closes the connection to the provider."""
    provider.answer(ROLE, text("half"), Act.STALL)
    client = await serving(provider, serve)
    async with client.stream("POST", "/v1/responses", json=ASK) as response:
        parts = response.aiter_bytes()
        received = b""
        while b"half" not in received:
            received += await anext(parts)
        found = events(received)[0]["response"]["id"]
        read = (await client.get(f"/v1/responses/{found}")).json()
        assert read["status"] == "in_progress"
        assert read["output"][0]["content"][0]["text"] == "half"
        cancelled = (await client.post(f"/v1/responses/{found}/cancel")).json()
        assert cancelled["status"] == "cancelled"
        received += b"".join([part async for part in parts])
    assert events(received)[-1]["response"]["status"] == "cancelled"
    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)
    assert (await client.get("/v1/responses/resp_unknown")).status_code == 404


async def test_number_that_a_running_response_has_not_reached(
    provider: Upstream, serve: Serve
) -> None:
    """Its next number is a 400 that names the field; its last one waits for what comes next."""
    provider.answer(ROLE, text("half"), Act.STALL)
    client = await serving(provider, serve, TOKENWIRE_HEARTBEAT="1s")
    async with client.stream("POST", "/v1/responses", json=ASK) as response:
        parts = response.aiter_bytes()
        received = b""
        while b"half" not in received:
            received += await anext(parts)
        last = events(received)[-1]["sequence_number"]
        url = f"/v1/responses/{events(received)[0]['response']['id']}"
        for ahead in (last + 1, 999_999, 10**30):
            refused = await client.get(f"{url}?stream=true&starting_after={ahead}")
            error = refused.json()["error"]
            assert (refused.status_code, error["code"]) == (400, "invalid_cursor")
            assert error["param"] == "starting_after"
        async with client.stream("GET", f"{url}?stream=true&starting_after={last}") as rest:
            assert rest.status_code == 200
            await client.post(f"{url}/cancel")
            assert events(await rest.aread())[0]["sequence_number"] == last + 1
        async for part in parts:
            received += part
    whole_again = await client.get(f"{url}?stream=true&starting_after={last}")
    assert events(whole_again.content) == events(received)[last + 1 :]
    beyond = await client.get(f"{url}?stream=true&starting_after=999999")
    assert (beyond.status_code, events(beyond.content)) == (200, [])


@pytest.mark.parametrize("words", [1_000, pytest.param(60_000, marks=pytest.mark.slow)])
async def test_long_response_is_read_whole(words: int, provider: Upstream, serve: Serve) -> None:
    """A response that is read back is complete, however long it is."""
    provider.answer(*complete(*(f"word{n} " for n in range(words))))
    client = await serving(provider, serve, TOKENWIRE_MAX_STREAM_BYTES="100000000")
    first = await client.post("/v1/responses", json=ASK)
    response_id = events(first.content)[0]["response"]["id"]

    read = (await client.get(f"/v1/responses/{response_id}")).json()
    cancelled = (await client.post(f"/v1/responses/{response_id}/cancel")).json()

    assert read["status"] == "completed"
    text = read["output"][0]["content"][0]["text"]
    assert text == "".join(f"word{n} " for n in range(words))
    assert cancelled == read


async def test_trimmed_response_is_not_complete(provider: Upstream, serve: Serve) -> None:
    """When the beginning is no longer held, reading back is an error, not a part of the text."""
    provider.answer(*complete(*(f"word{n} " for n in range(1_000))))
    client = await serving(provider, serve, TOKENWIRE_MAX_STREAM_BYTES="65536")
    first = await client.post("/v1/responses", json=ASK)
    response_id = f"resp_{first.headers['x-stream-id'].removeprefix('st_')}"

    read = await client.get(f"/v1/responses/{response_id}")

    assert (read.status_code, read.json()["error"]["code"]) == (410, "trimmed")


async def test_whole_answers(provider: Upstream, serve: Serve) -> None:
    """Without ``stream`` each dialect answers with its own object."""
    client = await serving(provider, serve)
    for model, dialect in (("openai/m", "chat"), ("anthropic/m", "messages")):
        provider.script_anew()
        provider.answer(recording("parallel", dialect))
        messages = [{"role": "user", "content": "x"}]
        received = await client.post(
            "/v1/messages", json={"model": model, "max_tokens": 9, "messages": messages}
        )
        assert [call[1] for call in of_message(received.json()).calls] == ["weather", "time"]
        received = await client.post("/v1/responses", json={**ASK, "model": model, "stream": False})
        assert [item["name"] for item in received.json()["output"]] == ["weather", "time"]
        received = await client.post(
            "/v1/chat/completions", json={"model": model, "messages": messages}
        )
        (choice,) = received.json()["choices"]
        assert [c["function"]["name"] for c in choice["message"]["tool_calls"]] == [
            "weather",
            "time",
        ]
        assert choice["finish_reason"] == "tool_calls"


async def test_chat_is_resumed_from_its_beginning(provider: Upstream, serve: Serve) -> None:
    """``useChat`` after a reload: the running answer, all of it; 204 when it is over."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two"), STOP, DONE)
    client = await serving(provider, serve)
    assert (await client.get("/api/chat/c1/stream")).status_code == 204
    async with client.stream("POST", "/api/chat", json=CHAT) as response:
        assert response.headers["x-vercel-ai-ui-message-stream"] == "v1"
        parts = response.aiter_bytes()
        while b"one" not in await anext(parts):
            pass
        resuming = asyncio.create_task(client.get("/api/chat/c1/stream"))
        await viewers(client, 2)
        gate.set()
        resumed = await resuming
    assert resumed.headers["x-vercel-ai-ui-message-stream"] == "v1"
    received = events(resumed.content)
    assert received[0]["type"] == "start"
    assert "".join(part["delta"] for part in received if part["type"] == "text-delta") == "one two"
    assert (await client.get("/api/chat/c1/stream")).status_code == 204
    assert len(provider.requests) == 1


async def test_chat_is_stopped(provider: Upstream, serve: Serve) -> None:
    """Stopped from anywhere: the page gets an abort, the provider a closed connection."""
    provider.answer(ROLE, text("one"), Act.STALL)
    client = await serving(provider, serve, TOKENWIRE_API_KEYS="key-one-of-tests,key-two-of-tests")
    client.headers["authorization"] = "Bearer key-one-of-tests"
    async with client.stream("POST", "/api/chat", json=CHAT) as response:
        parts = response.aiter_bytes()
        while b"one" not in await anext(parts):
            pass
        stranger = {"authorization": "Bearer key-two-of-tests"}
        assert (await client.post("/api/chat/c1/stop", headers=stranger)).status_code == 404
        assert (await client.post("/api/chat/c1/stop")).json()["end_reason"] == "cancelled"
        rest = b"".join([part async for part in parts])
    assert events(rest)[-1]["type"] == "abort"
    assert rest.endswith(b"data: [DONE]\n\n")
    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)


async def test_one_stream_in_five_dialects_at_once(provider: Upstream, serve: Serve) -> None:
    """A running stream, watched by five clients that each speak another dialect."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("Hel"), gate, text("lo"), STOP, DONE)
    client = await serving(provider, serve)
    async with client.stream("POST", "/api/stream", json={"message": "x"}) as response:
        parts = response.aiter_bytes()
        while b"Hel" not in await anext(parts):
            pass
        stream = response.headers["x-stream-id"]
        watching = [
            asyncio.create_task(client.get(f"/v1/streams/{stream}?format={name}"))
            for name in DIALECTS
        ]
        await viewers(client, 1 + len(DIALECTS))
        gate.set()
        answers = await asyncio.gather(*watching)
    for name, answer in zip(DIALECTS, answers, strict=True):
        decoder = DIALECTS[name].decoder()
        received = [event for block in split(answer.content) for event in decoder.decode(block)]
        assert "".join(getattr(e, "delta", "") for e in received) == "Hello", name
    assert len(provider.requests) == 1


TURNS = [{"role": "user", "content": "x"}]


@pytest.mark.parametrize(
    ("path", "body", "status", "where"),
    [
        ("/v1/messages", {"model": "openai/m", "messages": TURNS}, 400, "max_tokens"),
        (
            "/v1/messages",
            {
                "model": "openai/m",
                "max_tokens": 9,
                "top_k": 5,
                "messages": [{"role": "user", "content": "x"}],
            },
            400,
            "top_k",
        ),
        ("/v1/responses", {"model": "openai/m"}, 400, "input"),
        ("/v1/responses", {**ASK, "tools": [{"type": "web_search"}]}, 400, "tools[0].type"),
        ("/v1/responses", {**ASK, "previous_response_id": "resp_1"}, 400, "previous_response_id"),
        ("/v1/responses", {**ASK, "background": True}, 400, "background"),
        ("/api/chat", {"id": "c", "messages": []}, 400, "messages"),
        (
            "/api/chat",
            {"id": "c", "messages": [{"role": "user", "parts": [{"type": "x"}]}]},
            400,
            "messages[0].parts[0].type",
        ),
        (
            "/v1/chat/completions",
            {"model": "anthropic/m", "n": 2, "messages": [{"role": "user", "content": "x"}]},
            400,
            "n",
        ),
        (
            "/v1/chat/completions",
            {"model": "anthropic/m", "seed": 7, "messages": [{"role": "user", "content": "x"}]},
            400,
            "seed",
        ),
    ],
)
async def test_what_cannot_be_said_is_refused_by_name(
    path: str, body: dict[str, Any], status: int, where: str, provider: Upstream, serve: Serve
) -> None:
    """In the caller's own dialect, before a provider is called."""
    client = await serving(provider, serve)
    response = await client.post(path, json=body)
    assert response.status_code == status
    received = response.json()
    received = received["error"] if isinstance(received.get("error"), dict) else received
    assert where in (received.get("message") or received["error"])
    assert provider.requests == []
    if path == "/v1/messages":
        assert response.json()["type"] == "error"
        assert received["type"] == "invalid_request_error"


async def test_own_words_pass_untouched(provider: Upstream, serve: Serve) -> None:
    """A Messages client in front of Anthropic: its body goes there as it came, bytes come back."""
    provider.answer(recording("citation", "messages"))
    client = await serving(provider, serve)
    body = {
        "model": "anthropic/claude-x",
        "max_tokens": 9,
        "stream": True,
        "top_k": 5,
        "later_field": {"a": 1},
        "messages": [{"role": "user", "content": "x"}],
    }
    response = await client.post("/v1/messages", json=body)
    assert provider.requests[0].json == {**body, "model": "claude-x"}
    assert provider.requests[0].path == "/v1/messages"
    assert provider.requests[0].headers["x-api-key"] == "sk-two"
    assert provider.requests[0].headers["anthropic-version"] == "2023-06-01"
    lines = [x for x in response.content.splitlines(True) if not x.startswith((b"id:", b":"))]
    raw = [x for x in recording("citation", "messages").splitlines(True) if not x.startswith(b":")]
    assert b"".join(lines) == b"".join(raw).lstrip(b"\n")


async def test_usage_is_asked_for(provider: Upstream, serve: Serve) -> None:
    """A translated request has its limits under the provider's names."""
    provider.answer(*complete("ok"))
    client = await serving(provider, serve)
    await client.post("/v1/responses", json={**ASK, "max_output_tokens": 7, "instructions": "s"})
    sent = provider.requests[0].json
    assert sent["max_tokens"] == 7
    assert sent["messages"] == [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "Hi"},
    ]
