"""Every object sent to clients fits its API's published types, with every provider."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from tests.fakes.upstream import Upstream, chunk
from tests.matrix.cases import CASES, PROVIDERS, answer, split
from tests.matrix.strict import problems
from tests.matrix.test_python_clients import app
from tokenwire.sse import data_of

pytestmark = pytest.mark.slow

MESSAGES = [{"role": "user", "content": "Hi"}]
ASKING: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": ("/v1/chat/completions", {"messages": MESSAGES}),
    "responses": ("/v1/responses", {"input": "Hi"}),
    "messages": ("/v1/messages", {"messages": MESSAGES, "max_tokens": 9}),
}
# A provider's usage, and the counts sent: prompt, completion, read from a cache, written.
COUNTED = (57, 17)


def objects(body: bytes) -> list[Any]:
    """The JSON of each block."""
    found = [data_of(block) or b"" for block in split(body)]
    return [json.loads(data) for data in found if data.strip() != b"[DONE]"]


async def result(base_url: str, dialect: str, model: str, **more: Any) -> httpx2.Response:
    """Return the response to a request."""
    path, body = ASKING[dialect]
    async with httpx2.AsyncClient(
        base_url=base_url, timeout=20, trust_env=False, verify=False
    ) as client:
        return await client.post(path, json={"model": model, **body, **more})


def kind(dialect: str, found: Any) -> str:
    """Return the dialect's type that an object in a stream should have."""
    return f"{dialect} error" if found.get("type") == "error" and dialect == "messages" else dialect


@pytest.mark.parametrize("target", ASKING)
@pytest.mark.parametrize("dialect", PROVIDERS)
async def test_every_object_fits(
    dialect: str, target: str, provider: Upstream, aws: object
) -> None:
    """Streamed and non-streaming objects of every recording fit the types."""
    model = f"{PROVIDERS[dialect]}/model-x"
    async with app(provider) as base_url:
        for case in CASES:
            answer(provider, case, dialect)
            stream = await result(base_url, target, model, stream=True)
            for found in objects(stream.content):
                if found.get("type") == "ping":
                    continue  # Anthropic's ping, which its SDK skips before validation
                if target == "chat" and "error" in found:
                    assert set(found["error"]) == {"message", "type", "param", "code"}
                else:
                    assert problems(kind(target, found), found) == [], (case, found)
            full = await result(base_url, target, model)
            if case != "error":
                assert problems(f"{target} whole", full.json()) == [], (case, full.json())


def usages(target: str, body: bytes) -> list[tuple[int, int]]:
    """Return the counts of a stream, each time they are sent."""
    found = objects(body)
    if target == "chat":
        counts = [each["usage"] for each in found if each.get("usage")]
        return [(each["prompt_tokens"], each["completion_tokens"]) for each in counts]
    counts = [each["response"]["usage"] for each in found if each.get("response")]
    return [(each["input_tokens"], each["output_tokens"]) for each in counts if each]


@pytest.mark.parametrize("dialect", PROVIDERS)
async def test_usage_once_at_the_end_on_request(
    dialect: str, provider: Upstream, aws: object
) -> None:
    """Usage is sent once, and only on request: clients add it up, or fail without choices."""
    model, options = f"{PROVIDERS[dialect]}/model-x", {"include_usage": True}
    async with app(provider) as base_url:
        for case in CASES:
            answer(provider, case, dialect)
            reported = [] if case == "error" else [COUNTED]
            plain = await result(base_url, "chat", model, stream=True)
            assert usages("chat", plain.content) == []
            # The loop of the README.
            assert all(each["choices"][0] for each in objects(plain.content) if "error" not in each)
            requested = await result(base_url, "chat", model, stream=True, stream_options=options)
            assert usages("chat", requested.content) == reported
            if reported:
                assert objects(requested.content)[-1]["choices"] == []
            other = usages(
                "responses", (await result(base_url, "responses", model, stream=True)).content
            )
            assert other == reported or (
                case == "error" and len(other) <= 1 and (0, 0) not in other
            )
            async with httpx2.AsyncClient(
                base_url=base_url, trust_env=False, verify=False
            ) as client:
                events = await client.post("/api/stream", json={"message": "Hi", "model": model})
                watch = f"/v1/streams/{events.headers['x-stream-id']}?format=chat"
                watched = [await client.get(f"{watch}{more}") for more in ("", "&include_usage=1")]
            kinds = [each["type"] for each in objects(events.content)]
            assert kinds.count("usage") == 1 or (case == "error" and "usage" not in kinds[:-2])
            assert not reported or kinds[-1] == "usage"
            assert [usages("chat", each.content) for each in watched] == [[], reported]


async def test_tokens_written_to_a_cache_are_sent(provider: Upstream) -> None:
    """Cache counts are translated between Anthropic's names and OpenAI's."""
    counts = {
        "prompt_tokens": 57,
        "completion_tokens": 17,
        "total_tokens": 74,
        "prompt_tokens_details": {"cached_tokens": 32, "cache_write_tokens": 5},
    }
    async with app(provider) as base_url:
        for dialect in ("messages", "chat"):
            answer(provider, "text", dialect)
            if dialect == "chat":
                provider.script_anew()
                stop = chunk(finish="stop")
                provider.answer(chunk({"content": "x"}), stop, chunk(choices=[], usage=counts))
            model = f"{PROVIDERS[dialect]}/model-x"
            reported = (await result(base_url, "chat", model)).json()["usage"]
            assert reported["prompt_tokens_details"] == {
                "cached_tokens": 32,
                "cache_write_tokens": 5,
            }
            reported = (await result(base_url, "responses", model)).json()["usage"]
            assert reported["input_tokens_details"] == {
                "cached_tokens": 32,
                "cache_write_tokens": 5,
            }
            reported = (await result(base_url, "messages", model)).json()["usage"]
            assert reported["cache_creation_input_tokens"] == 5
            assert reported["cache_read_input_tokens"] == 32


async def test_failed_response_has_a_published_code(provider: Upstream) -> None:
    """The error event has tokenwire's code, the response object one of OpenAI's."""
    answer(provider, "error", "chat")
    async with app(provider) as base_url:
        stream = await result(base_url, "responses", "openai/m", stream=True)
    *_, error, failed = objects(stream.content)
    assert error["code"] == "upstream_overloaded"
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["error"]["code"] == "server_error"
    assert stream.content.endswith(b"data: [DONE]\n\n")


SETTINGS: dict[str, Any] = {
    "temperature": 0.5,
    "top_p": 0.9,
    "max_output_tokens": 99,
    "instructions": "Be brief.",
    "metadata": {"a": "b"},
    "parallel_tool_calls": False,
    "tool_choice": "auto",
    "reasoning": {"effort": "low"},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}},
    "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
    "user": "u",
}


async def test_response_repeats_its_settings(provider: Upstream) -> None:
    """The response object has all settings, with defaults for missing ones."""
    answer(provider, "text", "chat")
    async with app(provider) as base_url:
        plain = (await result(base_url, "responses", "openai/m")).json()
        reported = (await result(base_url, "responses", "openai/m", **SETTINGS)).json()
    assert (plain["temperature"], plain["tools"], plain["truncation"]) == (1.0, [], "disabled")
    assert plain["text"] == {"format": {"type": "text"}}
    for name in ("temperature", "top_p", "max_output_tokens", "instructions", "metadata", "user"):
        assert reported[name] == SETTINGS[name]
    assert reported["tools"] == [{**SETTINGS["tools"][0], "description": None, "strict": None}]
    assert reported["text"]["format"]["schema"] == {"type": "object"}
    assert reported["reasoning"] == {"effort": "low", "summary": None}
    assert set(plain) | {"user"} == set(reported)
