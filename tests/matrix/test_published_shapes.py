"""Every object that clients are answered fits its owner's published types, whoever the provider."""

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
# As a provider says it, and what is told of it: prompt, completion, read from a cache, written.
COUNTED = (57, 17)


def objects(body: bytes) -> list[Any]:
    """The JSON of each block."""
    found = [data_of(block) or b"" for block in split(body)]
    return [json.loads(data) for data in found if data.strip() != b"[DONE]"]


async def said(base_url: str, dialect: str, model: str, **more: Any) -> httpx2.Response:
    """The answer to a request."""
    path, body = ASKING[dialect]
    async with httpx2.AsyncClient(base_url=base_url, timeout=20, trust_env=False) as client:
        return await client.post(path, json={"model": model, **body, **more})


def kind(dialect: str, found: Any) -> str:
    """Which of the dialect's types an object in a stream should have."""
    return f"{dialect} error" if found.get("type") == "error" and dialect == "messages" else dialect


@pytest.mark.parametrize("target", ASKING)
@pytest.mark.parametrize("dialect", PROVIDERS)
async def test_every_object_fits(
    dialect: str, target: str, provider: Upstream, aws: object
) -> None:
    """Streamed and whole, of every recording of every provider."""
    model = f"{PROVIDERS[dialect]}/model-x"
    async with app(provider) as base_url:
        for case in CASES:
            answer(provider, case, dialect)
            stream = await said(base_url, target, model, stream=True)
            for found in objects(stream.content):
                if found.get("type") == "ping":
                    continue  # Anthropic's own, which its SDK skips before it looks at the type
                if target == "chat" and "error" in found:
                    assert set(found["error"]) == {"message", "type", "param", "code"}
                else:
                    assert problems(kind(target, found), found) == [], (case, found)
            whole = await said(base_url, target, model)
            if case != "error":
                assert problems(f"{target} whole", whole.json()) == [], (case, whole.json())


def usages(target: str, body: bytes) -> list[tuple[int, int]]:
    """The counts of a stream, each time that they are told."""
    found = objects(body)
    if target == "chat":
        counts = [each["usage"] for each in found if each.get("usage")]
        return [(each["prompt_tokens"], each["completion_tokens"]) for each in counts]
    counts = [each["response"]["usage"] for each in found if each.get("response")]
    return [(each["input_tokens"], each["output_tokens"]) for each in counts if each]


@pytest.mark.parametrize("dialect", PROVIDERS)
async def test_usage_once_at_the_end_if_asked(
    dialect: str, provider: Upstream, aws: object
) -> None:
    """Clients add up what they are told, and some fail on a chunk without choices."""
    model, options = f"{PROVIDERS[dialect]}/model-x", {"include_usage": True}
    async with app(provider) as base_url:
        for case in CASES:
            answer(provider, case, dialect)
            told = [] if case == "error" else [COUNTED]
            plain = await said(base_url, "chat", model, stream=True)
            assert usages("chat", plain.content) == []
            # The loop of the README.
            assert all(each["choices"][0] for each in objects(plain.content) if "error" not in each)
            asked = await said(base_url, "chat", model, stream=True, stream_options=options)
            assert usages("chat", asked.content) == told
            if told:
                assert objects(asked.content)[-1]["choices"] == []
            other = usages(
                "responses", (await said(base_url, "responses", model, stream=True)).content
            )
            assert other == told or (case == "error" and len(other) <= 1 and (0, 0) not in other)
            async with httpx2.AsyncClient(base_url=base_url, trust_env=False) as client:
                events = await client.post("/api/stream", json={"message": "Hi", "model": model})
                watch = f"/v1/streams/{events.headers['x-stream-id']}?format=chat"
                watched = [await client.get(f"{watch}{more}") for more in ("", "&include_usage=1")]
            kinds = [each["type"] for each in objects(events.content)]
            assert kinds.count("usage") == 1 or (case == "error" and "usage" not in kinds[:-2])
            assert not told or kinds[-1] == "usage"
            assert [usages("chat", each.content) for each in watched] == [[], told]


async def test_tokens_written_to_a_cache_are_told(provider: Upstream) -> None:
    """By Anthropic's own name, and by OpenAI's, whichever side has which."""
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
                provider._scripts = []
                stop = chunk(finish="stop")
                provider.answer(chunk({"content": "x"}), stop, chunk(choices=[], usage=counts))
            model = f"{PROVIDERS[dialect]}/model-x"
            told = (await said(base_url, "chat", model)).json()["usage"]
            assert told["prompt_tokens_details"] == {"cached_tokens": 32, "cache_write_tokens": 5}
            told = (await said(base_url, "responses", model)).json()["usage"]
            assert told["input_tokens_details"] == {"cached_tokens": 32, "cache_write_tokens": 5}
            told = (await said(base_url, "messages", model)).json()["usage"]
            assert told["cache_creation_input_tokens"] == 5
            assert told["cache_read_input_tokens"] == 32


async def test_failed_response_has_a_published_code(provider: Upstream) -> None:
    """Our own code is in the error event; the response's is one of OpenAI's."""
    answer(provider, "error", "chat")
    async with app(provider) as base_url:
        stream = await said(base_url, "responses", "openai/m", stream=True)
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
    """And is complete: what the request left out has its default."""
    answer(provider, "text", "chat")
    async with app(provider) as base_url:
        plain = (await said(base_url, "responses", "openai/m")).json()
        told = (await said(base_url, "responses", "openai/m", **SETTINGS)).json()
    assert (plain["temperature"], plain["tools"], plain["truncation"]) == (1.0, [], "disabled")
    assert plain["text"] == {"format": {"type": "text"}}
    for name in ("temperature", "top_p", "max_output_tokens", "instructions", "metadata", "user"):
        assert told[name] == SETTINGS[name]
    assert told["tools"] == [{**SETTINGS["tools"][0], "description": None, "strict": None}]
    assert told["text"]["format"]["schema"] == {"type": "object"}
    assert told["reasoning"] == {"effort": "low", "summary": None}
    assert set(plain) | {"user"} == set(told)
