"""Requests at the door: no body is a 500, and a refusal names the caller's own field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.conftest import Serve
from tests.fakes.upstream import Upstream, complete

TURNS = [{"role": "user", "content": "x"}]
PATHS = ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/api/chat", "/api/stream"]
JSON = {"content-type": "application/json"}


def error_of(response: httpx2.Response) -> dict[str, Any]:
    """The error object, as far as the dialects agree on it."""
    body: dict[str, Any] = response.json()
    inner = body.get("error")
    return inner if isinstance(inner, dict) else body


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "content",
    [b'{"model":"\xff"}', b"\xff\xfe{\x00}\x00", b"{", b"", b'{"a":"\\ud800"}', b'{"a":1e999}'],
)
async def test_body_that_is_not_json_is_refused(path: str, content: bytes, serve: Serve) -> None:
    """Bytes that are not UTF-8, and texts that are not JSON, are the caller's fault."""
    client = await serve()
    response = await client.post(path, content=content, headers=JSON)
    assert response.status_code == 400
    assert "valid JSON" in response.text


@pytest.mark.parametrize("path", PATHS)
async def test_depth_has_a_bound(path: str, serve: Serve) -> None:
    """128 levels are read (and judged by what they hold); one more is not."""
    client = await serve()
    for depth, is_read in ((127, True), (128, False)):
        content = b'{"model":' + b"[" * depth + b"]" * depth + b"}"
        response = await client.post(path, content=content, headers=JSON)
        assert response.status_code == 400
        assert ("levels deep" not in response.text) is is_read


async def test_empty_input_is_refused(serve: Serve) -> None:
    """An empty input is a 400 that names the field."""
    client = await serve()
    response = await client.post("/v1/responses", json={"model": "demo/fast", "input": []})
    assert (response.status_code, error_of(response)["param"]) == (400, "input")


PROBES: list[tuple[str, dict[str, Any], str]] = [
    ("/v1/chat/completions", {"messages": TURNS, "temperature": "hot"}, "temperature"),
    ("/v1/chat/completions", {"messages": TURNS, "temperature": 2.5}, "temperature"),
    ("/v1/chat/completions", {"messages": TURNS, "tools": 5}, "tools"),
    (
        "/v1/chat/completions",
        {"messages": TURNS, "tools": [{"type": "function"}]},
        "tools[0].function",
    ),
    ("/v1/chat/completions", {"messages": TURNS, "tool_choice": 5}, "tool_choice"),
    ("/v1/chat/completions", {"messages": TURNS, "stop": 5}, "stop"),
    ("/v1/chat/completions", {"messages": TURNS, "response_format": "json"}, "response_format"),
    ("/v1/chat/completions", {"messages": TURNS, "metadata": 5}, "metadata"),
    ("/v1/chat/completions", {"messages": TURNS, "max_tokens": "9"}, "max_tokens"),
    (
        "/v1/chat/completions",
        {"messages": [*TURNS, {"role": "assistant", "tool_calls": 5}]},
        "messages[1].tool_calls",
    ),
    (
        "/v1/chat/completions",
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        "messages[0].content[0].text",
    ),
    ("/v1/messages", {"max_tokens": 9, "messages": TURNS, "tool_choice": "auto"}, "tool_choice"),
    ("/v1/messages", {"max_tokens": 9, "messages": TURNS, "thinking": 5}, "thinking"),
    ("/v1/messages", {"max_tokens": 9, "messages": TURNS, "metadata": "x"}, "metadata"),
    (
        "/v1/messages",
        {"max_tokens": 9, "messages": TURNS, "tools": [{"name": "f"}]},
        "tools[0].input_schema",
    ),
    ("/v1/messages", {"max_tokens": 9, "messages": TURNS, "system": 5}, "system"),
    ("/v1/messages", {"max_tokens": 0, "messages": TURNS}, "max_tokens"),
    ("/v1/responses", {"input": 5}, "input"),
    ("/v1/responses", {"input": "x", "reasoning": "high"}, "reasoning"),
    ("/v1/responses", {"input": "x", "text": {"format": 5}}, "text.format"),
    (
        "/v1/responses",
        {"input": [{"role": "user", "content": [{"type": "input_text", "text": 5}]}]},
        "input[0].content[0].text",
    ),
    (
        "/api/chat",
        {"messages": [{"role": "user", "parts": [{"type": "text"}]}]},
        "messages[0].parts[0].text",
    ),
    ("/api/stream", {"message": "x", "tools": {}}, "tools"),
]


@pytest.mark.parametrize(("path", "body", "param"), PROBES)
async def test_ill_typed_field_is_named(
    path: str, body: dict[str, Any], param: str, serve: Serve
) -> None:
    """A field of the wrong type is a 400 in the caller's dialect, for every provider."""
    client = await serve()
    response = await client.post(path, json={"model": "demo/fast", **body})
    assert response.status_code == 400
    if path == "/api/chat":
        assert response.json()["error"].startswith(f"{param} ")
    else:
        assert error_of(response).get("param", param) == param
        assert error_of(response)["message"].startswith(f"{param} ")


async def behind(provider: Upstream, serve: Serve) -> httpx2.AsyncClient:
    """The app, with OpenAI and Anthropic in routes."""
    anthropic = {"ANTHROPIC_API_KEY": "sk-two", "ANTHROPIC_BASE_URL": provider.base_url}
    return await serve(provider, TOKENWIRE_CONFIG="tests/http/routes.toml", **anthropic)


async def test_fallback_that_cannot_express_the_request_is_left_out(
    provider: Upstream, serve: Serve
) -> None:
    """Anthropic has no ``seed``: such a request is not sent to Anthropic as a fallback."""
    client = await behind(provider, serve)
    body = {"model": "best", "messages": TURNS, "seed": 7}
    provider.answer(status=500)
    provider.answer(*complete("ok"))
    response = await client.post("/v1/chat/completions", json=body)
    assert response.status_code == 502
    assert [received.path for received in provider.requests] == ["/v1/chat/completions"]


async def test_refusal_comes_before_a_stream(provider: Upstream, serve: Serve) -> None:
    """Even where the first event does not wait for the provider: nothing has to be sent to know."""
    client = await behind(provider, serve)
    body = {"message": "x", "model": "anthropic/claude", "reasoning_effort": "x"}
    response = await client.post("/api/stream", json=body)
    assert (response.status_code, response.json()["param"]) == (400, "reasoning_effort")
    assert provider.requests == []


async def test_refusal_names_the_callers_field(provider: Upstream, serve: Serve) -> None:
    """``instructions`` become a message of their own, which must not shift the path."""
    client = await behind(provider, serve)
    item = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "["}
    body = {"model": "anthropic/claude", "instructions": "s", "input": [TURNS[0], item]}
    response = await client.post("/v1/responses", json=body)
    assert (response.status_code, error_of(response)["param"]) == (400, "input[1].arguments")
    assert error_of(response)["message"].startswith("input[1].arguments ")


async def test_providers_refusal_names_the_callers_field(provider: Upstream, serve: Serve) -> None:
    """The field in a provider's error is the caller's; an untranslated request keeps its own."""
    received = {"error": {"message": "bad", "code": "bad", "param": "messages[1].content"}}
    provider.answer(json.dumps(received).encode(), status=400)
    client = await serve(provider)
    body = {"model": "openai/m", "instructions": "s", "input": TURNS}
    response = await client.post("/v1/responses", json=body)
    assert (response.status_code, error_of(response)["param"]) == (400, "input[0].content")
    chat = {"model": "openai/m", "messages": [*TURNS, *TURNS]}
    response = await client.post("/v1/chat/completions", json=chat)
    assert error_of(response)["param"] == "messages[1].content"


async def test_typo_in_a_prefix_is_not_answered_by_another(
    provider: Upstream, serve: Serve
) -> None:
    """An unknown prefix, as in ``opnai/gpt-5``, is a 404."""
    client = await serve(provider)
    body = {"model": "opnai/gpt-5", "messages": TURNS}
    response = await client.post("/v1/chat/completions", json=body)
    assert (response.status_code, error_of(response)["code"]) == (404, "model_not_found")
    assert "openai/…" in error_of(response)["message"]
    assert provider.requests == []


async def test_provider_may_take_foreign_names(
    provider: Upstream, serve: Serve, tmp_path: Path
) -> None:
    """With a setting, names with a foreign prefix go to a provider unchanged."""
    config = tmp_path / "router.toml"
    config.write_text("[providers.openai]\nforeign_names = true\n")
    provider.answer(*complete("ok"))
    client = await serve(provider, TOKENWIRE_CONFIG=str(config))
    body = {"model": "meta-llama/llama-4", "messages": TURNS}
    assert (await client.post("/v1/chat/completions", json=body)).status_code == 200
    assert provider.requests[0].json["model"] == "meta-llama/llama-4"


async def test_reference_page_has_every_request(serve: Serve) -> None:
    """Each request body refers to a schema in the document, also when it is fetched twice."""
    client = await serve()
    for _ in range(2):
        document = (await client.get("/openapi.json")).json()
        posts = [one["post"] for one in document["paths"].values() if "post" in one]
        bodies = [
            one["requestBody"]["content"]["application/json"]
            for one in posts
            if "requestBody" in one
        ]
        names = {body["schema"]["$ref"].rpartition("/")[2] for body in bodies}
        assert len(names) == 5
        schemas = document["components"]["schemas"]
        assert all(
            "messages" in schemas[name]["properties"] or "input" in schemas[name]["properties"]
            for name in names
        )
        assert schemas["EventsRequest"]["additionalProperties"] is False


@pytest.mark.parametrize("path", ["/v1/chat/completions/", "/v1/streams/st_x/", "/v1/streams//"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_slash_at_the_end_is_no_redirect(
    method: str, path: str, provider: Upstream, serve: Serve
) -> None:
    """Behind a proxy, a redirect would lead to another host, and without TLS."""
    client = await serve(provider)
    response = await client.request(method, path, json={})
    assert (response.status_code, error_of(response)["code"]) == (404, "not_found")
    assert "location" not in response.headers
