"""References to items of earlier responses, as the AI SDK sends them from the second turn on."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.conftest import Serve
from tests.fakes.memory_store import MemoryStore
from tests.fakes.upstream import STOP, Act, Upstream, chunk, complete, text
from tests.http.test_requests import error_of
from tests.http.test_worker import EVENT, Bench, reserved
from tokenwire.dialects import DIALECTS
from tokenwire.errors import ClientError
from tokenwire.gateway.references import resolved
from tokenwire.stores.exceptions import StoreError

ASK = {"model": "openai/m", "input": "Hi"}


CALLED = {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CALL = chunk({"tool_calls": [CALLED]})


def user(received: str) -> dict[str, Any]:
    """A turn of a user's."""
    return {"role": "user", "content": [{"type": "input_text", "text": received}]}


def reference(item: str) -> dict[str, str]:
    """What the AI SDK sends for an item of an earlier response."""
    return {"type": "item_reference", "id": item}


async def test_reference_stands_for_its_item(provider: Upstream, serve: Serve) -> None:
    """A text and a call that were streamed before are in the next request, with their ids."""
    provider.answer(text("Let me see."), CALL, STOP)
    provider.answer(*complete("sunny"))
    client = await serve(provider)
    first = (await client.post("/v1/responses", json=ASK)).json()
    message, called = [item["id"] for item in first["output"]]
    output = {"type": "function_call_output", "call_id": "c1", "output": "22"}
    items = [user("Hi"), reference(message), {"id": called}, output]
    response = await client.post("/v1/responses", json={**ASK, "input": items})
    assert response.status_code == 200
    turns = provider.requests[1].json["messages"]
    assert [turn["role"] for turn in turns] == ["user", "assistant", "tool"]
    assert turns[1]["content"] == "Let me see."
    assert turns[1]["tool_calls"][0]["function"]["name"] == "f"


async def test_unknown_item_is_404(provider: Upstream, serve: Serve) -> None:
    """Unknown ids, ids of OpenAI's own and ids of missing items are a 404."""
    provider.answer(*complete("Hi"))
    client = await serve(provider)
    known = (await client.post("/v1/responses", json=ASK)).json()["output"][0]["id"]
    for item in ("msg_1", "x", "", "msg_0123456789012345678901_0", known.rpartition("_")[0] + "_7"):
        body = {**ASK, "input": [user("Hi"), reference(known), reference(item)]}
        response = await client.post("/v1/responses", json=body)
        assert response.status_code == 404, item
        error = error_of(response)
        assert (error["code"], error["param"]) == ("item_not_found", "input[2].id")
    assert len(provider.requests) == 1


async def test_item_of_another_caller_is_unknown(provider: Upstream, serve: Serve) -> None:
    """An item of another caller is a 404 like one that never existed."""
    provider.answer(*complete("secret"))
    client = await serve(provider, TOKENWIRE_API_KEYS="key-of-one-caller,key-of-two-caller")
    one = {"authorization": "Bearer key-of-one-caller"}
    two = {"authorization": "Bearer key-of-two-caller"}
    received = (await client.post("/v1/responses", json=ASK, headers=one)).json()
    body = {**ASK, "input": [reference(received["output"][0]["id"])]}
    response = await client.post("/v1/responses", json=body, headers=two)
    assert response.status_code == 404
    assert "secret" not in response.text
    response = await client.post("/v1/responses", json=body, headers=one)
    assert response.status_code == 200


async def test_references_are_bounded(provider: Upstream, serve: Serve) -> None:
    """The items count towards the limit of a body as if they had been sent."""
    provider.answer(*complete("x" * 900))
    client = await serve(provider, TOKENWIRE_MAX_BODY_BYTES="2048")
    item = (await client.post("/v1/responses", json=ASK)).json()["output"][0]["id"]
    for count, status in ((1, 200), (2, 413)):
        body = {**ASK, "input": [reference(item)] * count}
        assert (await client.post("/v1/responses", json=body)).status_code == status


async def test_reading_for_references_is_bounded(provider: Upstream, serve: Serve) -> None:
    """A short item of a long stream counts as the whole stream, once per stream."""
    provider.answer(*complete(*"abcd"))
    client = await serve(provider, TOKENWIRE_MAX_STREAM_BYTES="4096")
    items = [(await client.post("/v1/responses", json=ASK)).json()["output"][0]["id"]]
    again = await client.post("/v1/responses", json={**ASK, "input": [reference(items[0])] * 50})
    assert again.status_code == 200
    statuses = []
    while len(items) < 80 and 413 not in statuses:
        items.append((await client.post("/v1/responses", json=ASK)).json()["output"][0]["id"])
        body = {**ASK, "input": [reference(item) for item in items]}
        statuses.append((await client.post("/v1/responses", json=body)).status_code)
    assert statuses[-1] == 413
    assert set(statuses[:-1]) == {200}
    assert 7 <= len(items) < 80


async def test_long_item_is_whole(provider: Upstream, serve: Serve) -> None:
    """An item of many blocks is complete, not only as much as one read returns."""
    provider.answer(*complete("word " * 50_000))
    client = await serve(provider)
    item = (await client.post("/v1/responses", json=ASK)).json()["output"][0]["id"]
    await client.post("/v1/responses", json={**ASK, "input": [reference(item)]})
    assert len(provider.requests[1].json["messages"][0]["content"]) == 250_000


async def test_running_response_is_waited_for(provider: Upstream, serve: Serve) -> None:
    """A client may be faster than the end of the stream that it has just read."""
    provider.answer(text("Hel"), Act.STALL)
    provider.answer(*complete("ok"))
    client = await serve(provider)
    async with client.stream("POST", "/v1/responses", json={**ASK, "stream": True}) as running:
        stream = running.headers["x-stream-id"]
        async for line in running.aiter_lines():
            if "output_text.delta" in line:
                break
        item = f"msg_{stream.removeprefix('st_')}_0"
        body = {**ASK, "input": [reference(item)]}
        pending = asyncio.create_task(client.post("/v1/responses", json=body))
        await client.post(f"/v1/responses/resp_{stream.removeprefix('st_')}/cancel")
        response = await pending
    assert response.status_code == 200
    assert provider.requests[1].json["messages"][0]["content"] == "Hel"


@pytest.mark.parametrize("item", [{"type": "item_reference"}, {"type": "item_reference", "id": 5}])
async def test_reference_needs_an_id(item: dict[str, Any], serve: Serve) -> None:
    """An invalid reference is an error that names the field."""
    client = await serve()
    response = await client.post("/v1/responses", json={"model": "demo/fast", "input": [item]})
    assert (response.status_code, error_of(response)["param"]) == (400, "input[0].id")


async def test_item_of_a_stream_in_another_process() -> None:
    """The store has the stream, and the stream has its owner; a failing store is no lost item."""
    store = MemoryStore()
    await store.reserve(reserved(store))
    await Bench(store).run()
    elsewhere = Bench(store).services
    item = f"msg_{EVENT['stream'].removeprefix('st_')}_0"
    request = DIALECTS["responses"].parse({**ASK, "input": [reference(item)]})
    found = await resolved(elsewhere, EVENT["owner"], request)
    assert found.body["input"][0]["content"][0]["text"]
    with pytest.raises(ClientError) as caught:
        await resolved(elsewhere, "another caller", request)
    assert (caught.value.code, caught.value.param) == ("item_not_found", "input[0].id")

    async def trouble() -> None:
        raise StoreError("The store is away.")

    with pytest.raises(StoreError):
        await resolved(Bench(MemoryStore(trouble)).services, EVENT["owner"], request)


async def test_running_response_is_not_waited_for_without_end(
    provider: Upstream, serve: Serve
) -> None:
    """After two seconds the item is used as far as it has come."""
    provider.answer(text("Hel"), Act.STALL)
    provider.answer(*complete("ok"))
    client = await serve(provider)
    async with client.stream("POST", "/v1/responses", json={**ASK, "stream": True}) as running:
        item = f"msg_{running.headers['x-stream-id'].removeprefix('st_')}_0"
        async for line in running.aiter_lines():
            if "output_text.delta" in line:
                break
        await client.post("/v1/responses", json={**ASK, "input": [reference(item)]})
    assert provider.requests[1].json["messages"][0]["content"] == "Hel"
