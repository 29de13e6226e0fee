"""Each provider's recordings, read by the official Python client of each dialect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from tests.fakes.server import serving
from tests.fakes.upstream import Act, Upstream
from tests.http.reading import viewers
from tests.matrix.cases import CASES, PROVIDERS, Answer, answer, meaning, recording, split
from tests.matrix.python_clients import CLIENTS, anthropic_sdk, openai_sdk
from tokenwire.dialects import DIALECTS
from tokenwire.events import Error

pytestmark = pytest.mark.slow


@asynccontextmanager
async def app(provider: Upstream, **settings: str) -> AsyncIterator[str]:
    """Return the app with every kind of provider."""
    for name in ("OPENAI", "ANTHROPIC", "GEMINI"):
        settings |= {f"{name}_API_KEY": "sk-secret", f"{name}_BASE_URL": provider.base_url}
    settings |= {"TOKENWIRE_CONFIG": "tests/matrix/native.toml"}
    # boto3's names; it signs with the credentials of this process.
    settings |= {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x"}
    settings |= {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": provider.base_url.removesuffix("/v1")}
    async with serving(settings) as url:
        yield url


@pytest.fixture
async def base_url(provider: Upstream, aws: object) -> AsyncIterator[str]:
    """Return the app with frequent pings."""
    async with app(provider, TOKENWIRE_HEARTBEAT="20ms") as url:
        yield url


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dialect", PROVIDERS)
async def test_client_understands(
    dialect: str, case: str, client: str, base_url: str, provider: Upstream
) -> None:
    """Every client reads the same answer, with pings and ids in the stream."""
    answer(provider, case, dialect)
    result = await CLIENTS[client](base_url, f"{PROVIDERS[dialect]}/model-x")
    assert result == expected(case, dialect, client)


def expected(case: str, dialect: str, client: str) -> Answer:
    """Return the part of an answer that a client can report."""
    result = meaning(case, dialect)
    return replace(result, calls=()) if case == "error" else result


async def test_errors_before_the_stream(provider: Upstream) -> None:
    """A provider's 429 is each SDK's own exception, with its Retry-After."""
    provider.answer(
        b'{"error": {"type": "rate_limit_error", "message": "secret"}}',
        status=429,
        headers={"x-should-retry": "false", "retry-after": "0.01"},
    )
    async with app(provider) as base_url:
        for model in ("openai/m", "anthropic/m"):
            with pytest.raises(openai.RateLimitError) as chat:
                await CLIENTS["openai-python chat"](base_url, model)
            with pytest.raises(openai.RateLimitError):
                await CLIENTS["openai-python responses"](base_url, model)
            with pytest.raises(anthropic.RateLimitError):
                await CLIENTS["anthropic-python"](base_url, model)
            assert "secret" not in str(chat.value)


PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
URL = f"data:image/png;base64,{PIXEL}"
# The position of the image in each provider's request.
PLACES: dict[str, Callable[[Any], Any]] = {
    "chat": lambda sent: sent["messages"][0]["content"][0]["image_url"]["url"],
    "messages": lambda sent: sent["messages"][0]["content"][0]["source"]["data"],
    "converse": lambda sent: sent["messages"][0]["content"][0]["image"]["source"]["bytes"],
    "gemini": lambda sent: sent["contents"][0]["parts"][0]["inlineData"]["data"],
}


@pytest.mark.parametrize("dialect", PROVIDERS)
async def test_images_reach_every_provider(dialect: str, base_url: str, provider: Upstream) -> None:
    """Images from each SDK reach each provider in its own form."""
    answer(provider, "text", dialect)
    model = f"{PROVIDERS[dialect]}/model-x"
    async with openai_sdk(base_url) as client:
        await client.chat.completions.create(
            model=model,
            messages=[
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": URL}}]}
            ],
        )
        requested: Any = [
            {
                "role": "user",
                "content": [{"type": "input_image", "detail": "auto", "image_url": URL}],
            }
        ]
        await client.responses.create(model=model, input=requested)
    async with anthropic_sdk(base_url) as other:
        source: Any = {"type": "base64", "media_type": "image/png", "data": PIXEL}
        await other.messages.create(
            model=model,
            max_tokens=9,
            messages=[{"role": "user", "content": [{"type": "image", "source": source}]}],
        )
    found = [PLACES[dialect](received.json) for received in provider.requests]
    assert [picture.removeprefix("data:image/png;base64,") for picture in found] == [PIXEL] * 3


async def until(text: str, response: httpx2.Response) -> None:
    """Read the response until it contains this text."""
    received = ""
    async for piece in response.aiter_text():
        received += piece
        if text in received:
            return
    raise AssertionError(received)


@pytest.mark.parametrize("dialect", PROVIDERS)
async def test_cancel_is_an_error_in_every_dialect(
    dialect: str, base_url: str, provider: Upstream
) -> None:
    """A cancelled stream is an error in each client, and closes the provider's connection."""
    half = recording("text", dialect)[:-40]
    provider.answer(half, Act.STALL)
    async with httpx2.AsyncClient(base_url=base_url, trust_env=False, timeout=20) as client:
        body = {"message": "x", "model": f"{PROVIDERS[dialect]}/model-x"}
        started = (await client.post("/v1/streams", json=body)).json()["id"]
        watching = [
            asyncio.create_task(client.get(f"/v1/streams/{started}?format={name}"))
            for name in DIALECTS
        ]
        await viewers(client, len(DIALECTS))
        async with client.stream("GET", f"/v1/streams/{started}") as first:
            await until("Gr", first)
        await client.post(f"/v1/streams/{started}/cancel")
        answers = await asyncio.gather(*watching)
    for name, result in zip(DIALECTS, answers, strict=True):
        decoder = DIALECTS[name].decoder()
        events = [event for block in split(result.content) for event in decoder.decode(block)]
        assert any(isinstance(event, Error) for event in events), name
        assert "Gr" in result.text
    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)
