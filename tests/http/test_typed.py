"""``/api/stream``: typed events, and an ``EventSource`` that loses its connection."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.conftest import Serve
from tests.fakes.upstream import DONE, ROLE, STOP, Act, Upstream, chunk, complete, text
from tests.http.reading import read, text_of, types

THINKING = chunk({"reasoning_content": "hm"})
CALL = chunk(
    {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": "{}"}}]}
)


async def test_every_type_is_sent(provider: Upstream, serve: Serve) -> None:
    """A provider's chunks become typed events, from start to [DONE]."""
    provider.answer(ROLE, THINKING, text("Hi"), CALL, chunk({"refusal": "no"}), *complete()[1:])
    client = await serve(provider)

    response = await client.post("/api/stream", json={"message": "x", "model": "openai/gpt-x"})

    (_, start), *rest = read(response.content)
    assert start == {
        "type": "start",
        "id": response.headers["x-stream-id"],
        "model": "openai/gpt-x",
        "created": start["created"],
    }
    assert [received for _, received in rest] == [
        {"type": "reasoning", "delta": "hm"},
        {"type": "content", "delta": "Hi"},
        {"type": "tool_call", "call": 0, "id": "c1", "name": "f", "arguments": "{}"},
        {"type": "content", "delta": "no", "refusal": True},
        {"type": "finish", "reason": "stop"},
        {"type": "usage", "input_tokens": 3, "output_tokens": 2},
        "[DONE]",
    ]


async def test_request_is_translated(provider: Upstream, serve: Serve) -> None:
    """A message, a system prompt and settings become a chat request."""
    provider.answer(*complete("ok"))
    client = await serve(provider)

    await client.post(
        "/api/stream",
        json={
            "message": "x",
            "system": "s",
            "model": "openai/m",
            "temperature": 0.5,
            "on_disconnect": "cancel",
        },
    )

    sent = provider.requests[0].json
    assert sent["messages"] == [
        {"role": "system", "content": "s"},
        {"role": "user", "content": "x"},
    ]
    assert (sent["model"], sent["temperature"], "on_disconnect" in sent) == ("m", 0.5, False)


TURNS = [{"role": "user", "content": "x"}]


async def test_bad_requests_name_the_field(serve: Serve) -> None:
    """Errors before the first byte are error events, with the field."""
    cases: list[tuple[Any, str, str | None]] = [
        ({}, "missing_required_parameter", "message"),
        ({"message": "x", "messages": TURNS}, "missing_required_parameter", "message"),
        ({"message": 1}, "invalid_type", "message"),
        ({"messages": [{"role": "x"}]}, "invalid_value", "messages[0].role"),
        ({"message": "x", "system": 1}, "invalid_type", "system"),
        ({"message": "x", "colour": "red"}, "unknown_parameter", "colour"),
        ({"message": "x", "model": 5}, "invalid_type", "model"),
        ({"message": "x", "model": "unknown/none"}, "model_not_found", "model"),
        ({"message": "x", "on_disconnect": "explode"}, "invalid_value", "on_disconnect"),
        ({"message": "x", "on_disconnect": 5}, "invalid_type", "on_disconnect"),
    ]
    client = await serve()
    for body, code, param in cases:
        response = await client.post("/api/stream", json=body)
        received = response.json()
        assert response.status_code in (400, 404)
        assert (received["type"], received["code"], received.get("param")) == ("error", code, param)


async def test_get_says_start_at_once(provider: Upstream, serve: Serve) -> None:
    """An EventSource has its stream's id, and retry, before the provider has answered."""
    provider.answer(before_head=(Act.STALL,))
    client = await serve(provider, TOKENWIRE_DEFAULT_MODEL="openai/gpt-x")

    async with client.stream("GET", "/api/stream?prompt=Hi") as response:
        first = await anext(response.aiter_bytes())

    stream_id = response.headers["x-stream-id"]
    assert first.startswith(b"retry: 1000\nid: %b.1-0\ndata: " % stream_id.encode())


async def test_get_resumes_same_stream(provider: Upstream, serve: Serve) -> None:
    """A GET with Last-Event-ID joins the stream it lost; one request reaches the provider."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two "), text("three"), STOP, DONE)
    client = await serve(provider, TOKENWIRE_DEFAULT_MODEL="openai/gpt-x")
    before = b""
    async with client.stream("GET", "/api/stream?prompt=Hi") as response:
        async for data in response.aiter_bytes():
            before += data
            if b"one" in before:
                break
    last = read(before)[-1][0]
    gate.set()

    after = await client.get("/api/stream?prompt=Hi", headers={"last-event-id": last})

    assert text_of(before) + text_of(after.content) == "one two three"
    assert types(after.content) == ["content", "content", "finish", "[DONE]"]
    end = read(after.content)[-1][0]
    again = await client.get("/api/stream?prompt=Hi", headers={"last-event-id": end})
    assert again.status_code == 204
    assert len(provider.requests) == 1


async def test_get_never_pays_twice(serve: Serve) -> None:
    """A cursor that names no stream, or an unknown one, starts nothing."""
    client = await serve()
    for cursor, status in (("1-5", 400), ("st_gone.1-5", 404), ("nonsense", 400)):
        response = await client.get("/api/stream?prompt=Hi", headers={"last-event-id": cursor})
        assert response.status_code == status


async def test_get_without_prompt_is_400(serve: Serve) -> None:
    """A GET without a prompt is a 400 that names the parameter."""
    response = await (await serve()).get("/api/stream")
    assert (response.status_code, response.json()["param"]) == (400, "prompt")


async def test_failure_is_event_for_eventsource(provider: Upstream, serve: Serve) -> None:
    """An EventSource cannot read an error's body, so it gets the error as an event."""
    provider.answer(status=400)
    client = await serve(provider, TOKENWIRE_DEFAULT_MODEL="openai/gpt-x")

    response = await client.get("/api/stream?prompt=Hi")

    assert response.status_code == 200
    assert types(response.content) == ["start", "error"]


async def test_failure_is_event_for_fetch(provider: Upstream, serve: Serve) -> None:
    """A ``fetch`` client, which has the start by then, gets the error as an event too."""
    provider.answer(status=400)
    client = await serve(provider)

    response = await client.post("/api/stream", json={"message": "x", "model": "openai/m"})

    assert types(response.content) == ["start", "error"]


async def test_post_can_be_resumed_before_first_token(provider: Upstream, serve: Serve) -> None:
    """A client that loses a POST before the first token resumes the same stream."""
    gate = asyncio.Event()
    provider.answer(*complete("late"), before_head=(gate,))
    client = await serve(provider)
    body = {"message": "x", "model": "openai/m"}
    async with client.stream("POST", "/api/stream", json=body) as response:
        first = await anext(response.aiter_bytes())
    ((last, _),) = read(first)
    gate.set()

    after = await client.get("/api/stream", headers={"last-event-id": last})

    assert text_of(after.content) == "late"
    assert len(provider.requests) == 1


async def test_grace_lets_a_client_return(provider: Upstream, serve: Serve) -> None:
    """By default a typed stream waits for its client; with grace over, it is cancelled."""
    provider.answer(ROLE, text("a"), Act.STALL)
    client = await serve(provider)
    body = {"message": "x", "model": "openai/m", "on_disconnect": "grace=0.2"}

    async with client.stream("POST", "/api/stream", json=body) as response:
        body_ = response.aiter_bytes()  # closes its connection when it is dropped
        await anext(body_)
        await asyncio.wait_for(provider.arrived.wait(), 5)

    assert not provider.requests[0].closed.is_set()
    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)


async def test_header_sets_the_policy(provider: Upstream, serve: Serve) -> None:
    """The header does what the body's field does, for clients that cannot add fields."""
    provider.answer(ROLE, text("a"), Act.STALL)
    client = await serve(provider)

    async with client.stream(
        "POST",
        "/api/stream",
        json={"message": "x", "model": "openai/m"},
        headers={"x-tokenwire-on-disconnect": "cancel"},
    ) as response:
        body_ = response.aiter_bytes()  # closes its connection when it is dropped
        await anext(body_)
        await asyncio.wait_for(provider.arrived.wait(), 5)

    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)
