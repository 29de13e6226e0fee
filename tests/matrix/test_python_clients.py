"""Each provider's recordings, read by the official Python client of each dialect."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import anthropic
import openai
import pytest

from tests.fakes.server import serving
from tests.fakes.upstream import Upstream
from tests.matrix.cases import CASES, PROVIDERS, Said, answer, meaning
from tests.matrix.python_clients import CLIENTS


@asynccontextmanager
async def app(provider: Upstream, **settings: str) -> AsyncIterator[str]:
    """The app, with every kind of provider."""
    for name in ("OPENAI", "ANTHROPIC", "GEMINI"):
        settings |= {f"{name}_API_KEY": "sk-secret", f"{name}_BASE_URL": provider.base_url}
    settings |= {"TOKENWIRE_CONFIG": "tests/matrix/native.toml"}
    # boto3's own names; the credentials that it signs with are those of this process.
    settings |= {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x"}
    settings |= {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME": provider.base_url.removesuffix("/v1")}
    async with serving(settings) as url:
        yield url


@pytest.fixture
async def base_url(provider: Upstream, aws: object) -> AsyncIterator[str]:
    """The app, with pings all the time."""
    async with app(provider, TOKENWIRE_HEARTBEAT="20ms") as url:
        yield url


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dialect", PROVIDERS)
async def test_client_understands(
    dialect: str, case: str, client: str, base_url: str, provider: Upstream
) -> None:
    """The same answer in every client, pings and ids between."""
    answer(provider, case, dialect)
    said = await CLIENTS[client](base_url, f"{PROVIDERS[dialect]}/model-x")
    assert said == expected(case, dialect, client)


def expected(case: str, dialect: str, client: str) -> Said:
    """What a client can tell of a case."""
    said = meaning(case, dialect)
    return replace(said, calls=()) if case == "error" else said


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
