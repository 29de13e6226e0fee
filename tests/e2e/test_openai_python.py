"""The official openai-python client with another base URL, with pings and ids."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import openai
import pytest

from tests.conftest import Serve
from tests.fakes.heartbeats import Heartbeats
from tests.fakes.upstream import DONE, ROLE, STOP, Act, Upstream, chunk, complete, text

HI: list[openai.types.chat.ChatCompletionMessageParam] = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def heartbeats() -> Heartbeats:
    """Heartbeats of the server."""
    return Heartbeats()


@pytest.fixture
async def client(
    provider: Upstream, serve: Serve, heartbeats: Heartbeats
) -> AsyncIterator[openai.AsyncOpenAI]:
    """Return the SDK's client of a server with frequent pings."""
    http = await serve(
        provider,
        heartbeats.around,
        TOKENWIRE_HEARTBEAT="0.02",
        TOKENWIRE_API_KEYS="key-one-of-tests",
    )
    found = openai.AsyncOpenAI(
        base_url=f"{http.base_url}/v1", api_key="key-one-of-tests", max_retries=0
    )
    yield found
    await found.close()


async def test_streams_with_pings_and_ids(
    client: openai.AsyncOpenAI, provider: Upstream, heartbeats: Heartbeats
) -> None:
    """Tokens arrive one by one, with heartbeats before, between and after them."""
    pause = heartbeats.next
    provider.answer(ROLE, text("a"), pause, text("b"), pause, STOP, DONE, before_head=(pause,))
    stream = await client.chat.completions.create(model="openai/m", messages=HI, stream=True)
    result = [c.choices[0].delta.content async for c in stream if c.choices]

    assert [piece for piece in result if piece] == ["a", "b"]


async def test_usage_on_request(client: openai.AsyncOpenAI, provider: Upstream) -> None:
    """With ``include_usage`` the last chunk has the counts; without it there is none."""
    provider.answer(*complete("a"))
    for requested in (True, False):
        stream = await client.chat.completions.create(
            model="openai/m",
            messages=HI,
            stream=True,
            stream_options={"include_usage": True} if requested else None,
        )
        chunks = [c async for c in stream]
        assert (chunks[-1].usage is not None) is requested
        assert all(c.choices for c in chunks) is not requested


async def test_tool_calls(client: openai.AsyncOpenAI, provider: Upstream) -> None:
    """The SDK's accumulator assembles a tool call."""
    provider.answer(
        ROLE,
        chunk(
            {
                "tool_calls": [
                    {
                        "index": 0,
                        "id": "c1",
                        "type": "function",
                        "function": {"name": "f", "arguments": ""},
                    }
                ]
            }
        ),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"a"'}}]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}),
        chunk(finish="tool_calls"),
        DONE,
    )
    async with client.chat.completions.stream(model="openai/m", messages=HI) as stream:
        async for _ in stream:
            pass
        found = await stream.get_final_completion()

    (call,) = found.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, call.function.arguments) == ("f", '{"a":1}')


async def test_non_streaming_answer(client: openai.AsyncOpenAI, provider: Upstream) -> None:
    """Without ``stream`` the SDK parses one typed object."""
    provider.answer(*complete("Hel", "lo"))
    found = await client.chat.completions.create(model="openai/m", messages=HI)
    assert found.choices[0].message.content == "Hello"
    assert found.usage is not None
    assert found.usage.total_tokens == 5


async def test_errors_before_stream(
    client: openai.AsyncOpenAI, provider: Upstream, serve: Serve
) -> None:
    """Each status is the SDK's own exception, with our code."""
    with pytest.raises(openai.NotFoundError) as missing:
        await client.chat.completions.create(model="demo/none", messages=HI, stream=True)
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError) as empty:
        await client.chat.completions.create(model="demo/fast", messages=[], stream=True)
    assert empty.value.param == "messages"
    with pytest.raises(openai.AuthenticationError):
        await client.with_options(api_key="wrong").models.list()
    provider.answer(status=429, headers={"retry-after": "1", "x-should-retry": "false"})
    http = await serve(provider)  # one that does not start its response with a ping so early
    patient = client.with_options(base_url=f"{http.base_url}/v1")
    with pytest.raises(openai.RateLimitError) as limited:
        await patient.chat.completions.create(model="openai/m", messages=HI, stream=True)
    assert limited.value.response.headers["retry-after"] == "1"


async def test_error_inside_stream(client: openai.AsyncOpenAI, provider: Upstream) -> None:
    """A provider that fails within a stream is an exception, not a short answer."""
    for steps, code in (
        ((ROLE, text("a"), Act.RESET), "upstream_disconnected"),
        ((ROLE, text("a")), "upstream_truncated"),
        ((ROLE, b'data: {"error":{"type":"overloaded_error"}}\n\n'), "upstream_overloaded"),
    ):
        provider.script_anew()
        provider.answer(*steps)
        stream = await client.chat.completions.create(model="openai/m", messages=HI, stream=True)
        with pytest.raises(openai.APIError) as caught:
            [c async for c in stream]
        assert caught.value.code == code


async def test_models(client: openai.AsyncOpenAI, provider: Upstream) -> None:
    """The SDK can read the list of models page by page."""
    provider.answer(b'{"object":"list","data":[]}', headers={"content-type": "application/json"})
    assert "demo/markdown" in [model.id async for model in client.models.list()]


async def test_closing_stops_provider(client: openai.AsyncOpenAI, provider: Upstream) -> None:
    """Closing the SDK's stream closes the provider's connection."""
    provider.answer(ROLE, text("a"), Act.STALL)
    async with await client.chat.completions.create(
        model="openai/m", messages=HI, stream=True
    ) as stream:
        await anext(stream)
    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)
