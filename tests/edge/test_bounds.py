"""Bounds of a request: names, values, and memory."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message, Receive

from tests.conftest import Serve
from tests.fakes.upstream import DONE, ROLE, STOP, Upstream, complete, text
from tokenwire.dialects.depth import without_strings
from tokenwire.errors import ClientError, ProxyError
from tokenwire.gateway.memory import RequestMemory
from tokenwire.http.body import VALUE_COST, read_json
from tokenwire.settings import Settings
from tokenwire.streams.retention import Retention

from .wire import Dial, request

MESSAGES = [{"role": "user", "content": "x"}]
ROUTES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": MESSAGES},
    "/v1/responses": {"input": "x"},
    "/v1/messages": {"messages": MESSAGES, "max_tokens": 5},
    "/api/stream": {"message": "x"},
    "/v1/streams": {"message": "x"},
}
SPLIT = "openai/m\r\nSet-Cookie: stolen=1"


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("name", ["openai/" + "m" * 250, SPLIT, "openai/m\0"])
async def test_name_of_a_model_is_short(serve: Serve, path: str, name: str) -> None:
    """257 characters, or a line break, are refused in every dialect before a provider is called."""
    client = await serve()
    response = await client.post(path, json={**ROUTES[path], "model": name})

    assert response.status_code == 400
    assert "256 characters" in response.text
    assert "stolen" not in repr(response.headers) + response.text


async def test_name_at_the_bound_reaches_the_provider(provider: Upstream, serve: Serve) -> None:
    """256 characters are a name; letters beyond ASCII are question marks in a header."""
    provider.answer(*complete("Hi"))
    client = await serve(provider)
    model = "openai/ü" + "m" * 248
    ask = {"model": model, "stream": True, "messages": MESSAGES}
    response = await client.post("/v1/chat/completions", json=ask)

    assert len(model) == 256
    assert response.headers["x-model"] == model.replace("ü", "?")
    assert provider.requests[0].json["model"] == model.removeprefix("openai/")


async def test_name_of_a_chat_is_short(serve: Serve) -> None:
    """A chat's id has the same bound, in the body and in the path."""
    client = await serve()
    parts = [{"type": "text", "text": "x"}]
    ask = {"id": "c" * 257, "messages": [{"id": "m", "role": "user", "parts": parts}]}
    requested = await client.post("/api/chat", json=ask)
    resumed = await client.get(f"/api/chat/{'c' * 257}/stream")
    stopped = await client.post(f"/api/chat/{'c' * 257}/stop")

    assert [r.status_code for r in (requested, resumed, stopped)] == [400, 400, 400]


@pytest.mark.parametrize("name", ["s" * 65, "s" * 5000, "st_x%0d%0ax", "%00"])
async def test_malformed_ids_are_unknown(serve: Serve, name: str) -> None:
    """A malformed stream id is not looked up."""
    client = await serve()
    assert (await client.get(f"/v1/streams/{name}")).status_code == 404


async def test_values_are_counted_before_they_are_made(serve: Serve) -> None:
    """A body of empty objects is read up to the limit."""
    client = await serve(TOKENWIRE_MAX_BODY_VALUES="1000")
    head = b'{"model": "demo/markdown", "messages": [{"role": "user", "content": "x"}], "x": ['
    path, comma = "/v1/chat/completions", b"{},"
    fits = await client.post(path, content=head + comma * 490 + b"{}]}")
    above = await client.post(path, content=head + comma * 1000 + b"{}]}")

    assert fits.status_code == 200
    assert above.status_code == 413
    assert above.json()["error"]["code"] == "request_too_large"


async def test_punctuation_in_texts_is_no_value(serve: Serve) -> None:
    """Braces and commas inside strings are not counted."""
    client = await serve(TOKENWIRE_MAX_BODY_VALUES="1000")
    response = await client.post("/api/stream", json={"message": '{[,"\\' * 5000})

    assert response.status_code == 200


@given(st.text('{}[],:"\\ a', max_size=40))
def test_no_byte_is_scanned_twice(text: str) -> None:
    """Every quote begins a match and the next scan begins after it: the search is linear."""
    assert b'"' not in without_strings(text.encode())


async def never() -> Message:
    """Receive what must not be read."""
    raise AssertionError


def receiving(body: bytes) -> Receive:
    """Receive a complete body."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    return receive


async def read(receive: Receive, length: str = "", **limits: int) -> int:
    """Read a body with these limits; return the memory that it is charged with."""
    scope = {"type": "http", "headers": [(b"content-length", length.encode("latin-1"))]}
    memory = RequestMemory(lambda _: True)
    await read_json(Request(scope, receive), Settings(**limits), memory)  # type: ignore[arg-type]
    return memory.size


async def test_count_is_bounded() -> None:
    """The count is exact at the limit."""
    body = b'["{{{{{{", 1]'
    charged = await read(receiving(body), max_body_values=3)
    assert charged == len(body) + 2 * VALUE_COST
    with pytest.raises(ClientError, match="more than 3 values"):
        await read(receiving(b"[{},{},{}]"), max_body_values=3)


def test_hold_is_given_back_by_its_last_user() -> None:
    """Memory shared by a stream and its request is counted until both have ended."""
    held: list[int] = []

    def charge(size: int) -> bool:
        held.append(size)
        return sum(held) <= 100

    hold = RequestMemory(charge)
    hold.grow(60)
    hold.retain()
    hold.release()
    assert sum(held) == 60
    hold.release()
    assert sum(held) == 0
    hold.retain()
    assert sum(held) == 60
    hold.release()
    with pytest.raises(ProxyError, match="no memory left"):
        RequestMemory(charge).grow(101)


def test_account_of_one_owner() -> None:
    """An owner's bytes have a bound of their own; others, and the nameless, are not touched."""
    retention = Retention(1000, 600, lambda _: None, 300, frozenset({"anonymous"}))

    assert retention.charge(300, "a")
    assert not retention.charge(1, "a")
    assert retention.charge(300, "b")
    assert retention.charge(-301, "a")
    assert retention.charge(600, "anonymous")
    assert not retention.charge(101)
    assert retention.held == 1001


async def test_body_without_room_is_refused(serve: Serve) -> None:
    """A body without room in memory is a 503 and reserves nothing."""
    client = await serve(TOKENWIRE_MAX_TOTAL_BYTES="100000", TOKENWIRE_DEMO_PACE="1000000")
    large = {"message": "hi", "system": "x" * 200_000}
    for _ in range(3):
        refused = await client.post("/api/stream", json=large)
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert refused.headers["retry-after"] == "1"
    assert (await client.post("/api/stream", json={"message": "hi"})).status_code == 200


async def test_running_stream_holds_its_body(provider: Upstream, serve: Serve) -> None:
    """A stream's request body counts while the stream runs."""
    gate = asyncio.Event()
    provider.answer(*complete("one")[:-1], gate, complete("one")[-1])
    client = await serve(provider, TOKENWIRE_MAX_TOTAL_BYTES="500000")
    ask = {"model": "openai/m", "messages": [{"role": "user", "content": "x" * 300_000}]}
    first = asyncio.create_task(client.post("/v1/chat/completions", json={**ask, "stream": True}))
    await asyncio.wait_for(provider.arrived.wait(), 10)
    refused = await client.post("/v1/chat/completions", json=ask)
    gate.set()
    await first
    provider.answer(*complete("two"))
    served = await client.post("/v1/chat/completions", json=ask)

    assert refused.json()["error"]["code"] == "overloaded"
    assert served.status_code == 200


async def test_answer_without_room_is_refused(provider: Upstream, serve: Serve) -> None:
    """A non-streaming response counts towards memory, too."""
    provider.answer(ROLE, *[text("x" * 10_000)] * 40, STOP, DONE)
    provider.answer(*complete("two"))
    client = await serve(provider, TOKENWIRE_MAX_TOTAL_BYTES="600000")
    ask = {"model": "openai/m", "messages": MESSAGES}
    refused = await client.post("/v1/chat/completions", json=ask)
    served = await client.post("/v1/chat/completions", json=ask)

    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")
    assert served.status_code == 200


async def test_text_that_a_dialect_repeats_is_held(provider: Upstream, serve: Serve) -> None:
    """The end of a response repeats its text; without room, the client gets an error."""
    provider.answer(ROLE, *[text("x" * 10_000)] * 40, STOP, DONE)
    client = await serve(
        provider, TOKENWIRE_MAX_TOTAL_BYTES="300000", TOKENWIRE_WINDOW_BYTES="20000"
    )
    repeated = await client.post(
        "/v1/responses", json={"model": "openai/m", "input": "x", "stream": True}
    )
    passed = await client.post(
        "/v1/chat/completions", json={"model": "openai/m", "stream": True, "messages": MESSAGES}
    )

    assert b"overloaded" in repeated.content
    assert b"response.completed" not in repeated.content
    assert passed.content.endswith(b"data: [DONE]\n\n")


async def test_streams_of_one_caller_are_counted(serve: Serve) -> None:
    """A caller at its limit of streams is refused, while another is served."""
    keys = ["key-one-of-tests", "key-two-of-tests"]
    client = await serve(TOKENWIRE_API_KEYS=",".join(keys), TOKENWIRE_MAX_CALLER_STREAMS="2")

    async def start(key: str) -> httpx2.Response:
        ask = {"message": "hi /stall 600"}
        return await client.post("/v1/streams", json=ask, headers={"x-api-key": key})

    mine = [await start(keys[0]) for _ in range(3)]
    other = await start(keys[1])

    assert [r.status_code for r in mine] == [201, 201, 429]
    assert mine[2].json()["code"] == "overloaded"
    assert other.status_code == 201
    await client.post(f"/v1/streams/{mine[0].json()['id']}/cancel", headers={"x-api-key": keys[0]})
    assert (await start(keys[0])).status_code == 201


async def test_slow_body_is_an_error_in_its_dialect(serve: Serve, dial: Dial) -> None:
    """A slow body is an error in the caller's dialect."""
    client = await serve(TOKENWIRE_TIMEOUT_BODY="0.3")
    wire = await dial(client)
    await wire.send(request("POST", "/v1/messages", b"", "Content-Length: 100") + b"{")

    result = await asyncio.wait_for(wire.rest(), 20)

    assert result.startswith(b"HTTP/1.1 408")
    assert b'"type":"error"' in result
    assert b"did not arrive in time" in result


@pytest.mark.parametrize("length", ["9" * 5000, "11"])
async def test_declared_length_is_enough_to_refuse(length: str) -> None:
    """A body with a declared length above the limit is not read, with any number of digits."""
    with pytest.raises(ClientError, match="larger than 10 bytes"):
        await read(never, length, max_body_bytes=10)


@pytest.mark.parametrize("length", ["\u00b2", "-1", ""])
async def test_odd_length_is_no_failure(length: str) -> None:
    """An invalid length is ignored, and the bytes are counted."""
    with pytest.raises(ClientError, match="larger than 10 bytes"):
        await read(receiving(b"x" * 11), length, max_body_bytes=10)
