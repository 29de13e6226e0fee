"""What can be read by name: a response's input, one model, the methods of a path."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Serve
from tests.fakes.upstream import Upstream, complete
from tokenwire.gateway.held_requests import HeldRequests


def published_problems(shape: str, found: object) -> list[str]:
    """Return what is wrong by the SDKs' types; importing these takes two seconds."""
    from tests.matrix.strict import problems

    return problems(shape, found)


INPUT: list[dict[str, Any]] = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Yes?"},
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": "x"},
    {"role": "user", "id": "msg_mine", "content": [{"type": "input_text", "text": "So?"}]},
]


async def test_input_items_are_listed(provider: Upstream, serve: Serve) -> None:
    """Items come in pages, the last one first, each with an id."""
    provider.answer(*complete("ok"))
    client = await serve(provider)
    body = {"model": "openai/m", "input": INPUT, "temperature": 0.5}
    response = (await client.post("/v1/responses", json=body)).json()
    url = f"/v1/responses/{response['id']}/input_items"

    found = (await client.get(url)).json()
    assert published_problems("responses input", found) == []
    assert [item["type"] for item in found["data"]] == [
        "message",
        "function_call_output",
        "function_call",
        "message",
        "message",
    ]
    first, last = found["data"][0], found["data"][-1]
    assert (found["first_id"], found["last_id"]) == (first["id"], last["id"])
    assert first["id"] == "msg_mine"
    assert last["content"] == [{"type": "input_text", "text": "Hi"}]
    assert found["data"][3]["content"][0]["type"] == "output_text"
    assert found["has_more"] is False

    page = (await client.get(f"{url}?order=asc&limit=2")).json()
    assert (page["first_id"], page["has_more"]) == (last["id"], True)
    page = (await client.get(f"{url}?order=asc&limit=2&after={found['data'][1]['id']}")).json()
    assert ([item["id"] for item in page["data"]], page["has_more"]) == (["msg_mine"], False)
    page = (await client.get(f"{url}?after={last['id']}")).json()
    assert (page["data"], page["first_id"]) == ([], "")

    for query, param in (("after=x", "after"), ("limit=0", "limit"), ("order=x", "order")):
        refused = await client.get(f"{url}?{query}")
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, param)
    assert (await client.get(f"/v1/responses/{response['id']}")).json() == response


async def test_text_input_is_one_item(provider: Upstream, serve: Serve) -> None:
    """The input is listed as OpenAI does; other callers get a 404."""
    provider.answer(*complete("ok"))
    client = await serve(provider, TOKENWIRE_API_KEYS="key-one-of-the-two,key-two-of-the-two")
    client.headers["authorization"] = "Bearer key-one-of-the-two"
    ask = {"model": "openai/m", "input": "Hi"}
    response = (await client.post("/v1/responses", json=ask)).json()
    url = f"/v1/responses/{response['id']}/input_items"
    (item,) = (await client.get(url)).json()["data"]
    assert (item["role"], item["content"]) == ("user", [{"type": "input_text", "text": "Hi"}])
    stranger = await client.get(url, headers={"authorization": "Bearer key-two-of-the-two"})
    assert (stranger.status_code, stranger.json()["error"]["code"]) == (404, "stream_not_found")


async def test_input_that_is_not_held(provider: Upstream, serve: Serve) -> None:
    """There is no input of a stream that is no response, or of a request too large to hold."""
    provider.answer(*complete("ok"))
    client = await serve(provider, TOKENWIRE_DEFAULT_MODEL="openai/m")
    other = await client.post("/api/stream", json={"message": "Hi"})
    large = await client.post("/v1/responses", json={"model": "openai/m", "input": "x" * 300_000})
    for stream in (other, large):
        name = stream.headers["x-stream-id"].removeprefix("st_")
        found = await client.get(f"/v1/responses/resp_{name}/input_items")
        assert (found.status_code, found.json()["error"]["code"]) == (404, "input_not_held")


def test_held_requests_are_bounded() -> None:
    """Held requests are bounded in bytes, each and together; the oldest are dropped."""
    held = HeldRequests(total=100, each=40)
    held.keep("large", {"x": "y" * 40})
    assert (held.get("large"), held.size) == (None, 0)
    for name in ("a", "b", "a", "c", "d"):
        held.keep(name, {"x": "y" * 20})
        assert held.size <= 100
    assert [name for name in "abcd" if held.get(name)] == ["a", "c", "d"]
    assert held.get("a") == {"x": "y" * 20}


async def test_one_model(provider: Upstream, serve: Serve) -> None:
    """A model is found by any name that a request may use; others are a 404."""
    provider.answer(b'{"data":[{"id":"gpt-5"}]}', headers={"content-type": "application/json"})
    client = await serve(provider, TOKENWIRE_CONFIG="tests/http/routes.toml")
    listed = [model["id"] for model in (await client.get("/v1/models")).json()["data"]]
    assert "openai/gpt-5" in listed
    for name in (*listed, "gpt-5", "openai%2Fgpt-5"):
        found = await client.get(f"/v1/models/{name}")
        assert (found.status_code, published_problems("model", found.json())) == (200, []), name
        assert found.json()["id"] == name.replace("%2F", "/")
    for name in ("openai/gpt-6", "gpt-6", "unknown/m"):
        missing = await client.get(f"/v1/models/{name}")
        assert missing.status_code == 404
        assert missing.json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "/api/stream", "GET, POST"),
        ("GET", "/v1/chat/completions", "POST"),
        ("PUT", "/v1/models", "GET"),
        ("DELETE", "/v1/responses/resp_1", "GET"),
        ("POST", "/", "GET, HEAD"),
        ("PATCH", "/v1/streams/st_1/cancel", "POST"),
    ],
)
async def test_wrong_method_gets_the_allowed_ones(
    method: str, path: str, allow: str, serve: Serve
) -> None:
    """``Allow`` lists every method of the path, though each has a route of its own."""
    client = await serve()
    response = await client.request(method, path)
    assert (response.status_code, response.headers["allow"]) == (405, allow)
