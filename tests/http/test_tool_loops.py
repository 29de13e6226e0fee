"""Tools in front of Gemini's own API: the second turn has what the first one's answer gave."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from tests.conftest import Serve
from tests.fakes.upstream import Upstream

CALL = {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"}
ANSWERS = [
    {"candidates": [{"content": {"parts": [CALL]}, "finishReason": "STOP"}]},
    {"candidates": [{"content": {"parts": [{"text": "So."}]}, "finishReason": "STOP"}]},
]
MODEL = "gemini/gemini-3-pro"
SPEC = {"name": "f", "parameters": {"type": "object"}}


async def serving(provider: Upstream, serve: Serve) -> httpx2.AsyncClient:
    """The app, in front of a Gemini that calls a tool, and then answers."""
    for answer in ANSWERS:
        provider.answer(b"data: " + json.dumps(answer).encode() + b"\r\n\r\n")
    base_url = provider.base_url.removesuffix("/v1")
    places = {"GEMINI_API_KEY": "AIza-key", "GEMINI_BASE_URL": base_url}
    return await serve(None, TOKENWIRE_CONFIG="tests/matrix/native.toml", **places)


async def post(client: httpx2.AsyncClient, path: str, body: Any) -> Any:
    """The whole answer."""
    response = await client.post(path, json={"model": MODEL, **body})
    assert response.status_code == 200, response.text
    return response.json()


def second_turn(provider: Upstream) -> tuple[Any, Any]:
    """The call and its result, as Gemini gets them back."""
    _, call, result = provider.requests[1].json["contents"]
    return call["parts"][0], result["parts"][0]["functionResponse"]


@pytest.mark.parametrize("echoes", [True, False])
async def test_chat_loop(echoes: bool, provider: Upstream, serve: Serve) -> None:
    """A client that echoes what it does not know, and one that drops it, get their answer."""
    client = await serving(provider, serve)
    tools = {"tools": [{"type": "function", "function": SPEC}]}
    turns = [{"role": "user", "content": "Hi"}]
    first = await post(client, "/v1/chat/completions", {"messages": turns, **tools})
    message = first["choices"][0]["message"]
    (call,) = message["tool_calls"]
    if not echoes:
        del call["extra_content"]
    result = {"role": "tool", "tool_call_id": call["id"], "content": "ok"}
    body = {"messages": [*turns, message, result], **tools}
    last = await post(client, "/v1/chat/completions", body)
    assert last["choices"][0]["message"]["content"] == "So."
    part, response = second_turn(provider)
    signature = "c2ln" if echoes else "skip_thought_signature_validator"
    assert part["thoughtSignature"] == signature
    assert part["functionCall"]["id"] == response["id"] == call["id"]
    assert (response["name"], response["response"]) == ("f", {"result": "ok"})


async def test_messages_loop(provider: Upstream, serve: Serve) -> None:
    """The client sends the content back as it was."""
    client = await serving(provider, serve)
    more = {"max_tokens": 9, "tools": [{"name": "f", "input_schema": {"type": "object"}}]}
    turns: list[Any] = [{"role": "user", "content": "Hi"}]
    first = await post(client, "/v1/messages", {"messages": turns, **more})
    assert first["stop_reason"] == "tool_use"
    use = first["content"][-1]
    result = {"type": "tool_result", "tool_use_id": use["id"], "content": "ok"}
    turns += [{"role": "assistant", "content": first["content"]}]
    turns += [{"role": "user", "content": [result]}]
    last = await post(client, "/v1/messages", {"messages": turns, **more})
    assert last["content"][0]["text"] == "So."
    assert second_turn(provider)[0]["thoughtSignature"] == "c2ln"


async def test_responses_loop(provider: Upstream, serve: Serve) -> None:
    """The client sends the output's items back as they were."""
    client = await serving(provider, serve)
    more = {"tools": [{"type": "function", **SPEC}]}
    turns: list[Any] = [{"role": "user", "content": "Hi"}]
    first = await post(client, "/v1/responses", {"input": turns, **more})
    call = first["output"][-1]
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "ok"}
    last = await post(
        client, "/v1/responses", {"input": [*turns, *first["output"], result], **more}
    )
    assert last["output"][0]["content"][0]["text"] == "So."
    assert second_turn(provider)[0]["thoughtSignature"] == "c2ln"
