"""Model names never lead out of a provider's base path."""

from __future__ import annotations

import json
from collections.abc import MutableMapping

import pytest

from tests.fakes.upstream import Upstream, complete
from tests.matrix.cases import answer
from tests.providers.test_openai import FixedKey
from tokenwire.dialects.protocol import ParsedRequest
from tokenwire.errors import ClientError
from tokenwire.providers.bedrock import provider as bedrock
from tokenwire.providers.config import Config
from tokenwire.providers.gemini import provider as gemini
from tokenwire.providers.native import Native
from tokenwire.providers.openai.provider import OpenAIProvider
from tokenwire.providers.paths import segment
from tokenwire.providers.protocol import Provider

ASK = ParsedRequest("m", True, {"model": "m", "messages": [{"role": "user", "content": "Hi"}]})
ESCAPES = [
    "gem/../../../tenant-b/v1beta/models/x",
    "..",
    ".",
    "",
    "a/..",
    "./a",
    "a//b",
    "/a",
    "a/",
    "a\\..\\b",
    "..;/a",
    "a?/../b",
    "a\r\nx: y",
    "a\x00",
]


async def ask(provider: Provider, model: str) -> None:
    """Put the question, and read the answer."""
    try:
        async with provider.open(ASK, model) as body:
            async for _ in body:
                pass
    finally:
        await provider.aclose()


def gemini_at(upstream: Upstream) -> Native:
    """Gemini below a path that it shares with others."""
    base_url = upstream.base_url.replace("/v1", "/tenant-a")
    return Native("g", FixedKey("k"), Config(base_url, max_retries=0), gemini.API)


@pytest.mark.parametrize("model", ESCAPES)
async def test_gemini_stays_in_its_base_path(model: str, provider: Upstream) -> None:
    """A name with dot segments is no model, and nothing is sent, least of all the key."""
    answer(provider, "text", "gemini")
    with pytest.raises(ClientError) as caught:
        await ask(gemini_at(provider), model)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert provider.requests == []


@pytest.mark.parametrize("model", ["tuned/x", "a:b", "%2e%2e%2f%2e%2e", "ä?b", "a..b"])
async def test_gemini_names_are_one_segment(model: str, provider: Upstream) -> None:
    """Whatever else is in a name stays between two slashes of the path."""
    answer(provider, "text", "gemini")
    await ask(gemini_at(provider), model)
    path = provider.requests[0].path.partition("?")[0]
    head, tail = "/tenant-a/v1beta/models/", ":streamGenerateContent"
    assert path.startswith(head)
    assert path.endswith(tail)
    assert "/" not in path.removeprefix(head).removesuffix(tail)


@pytest.mark.parametrize("model", ESCAPES)
async def test_bedrock_stays_in_its_base_path(
    model: str, provider: Upstream, aws: MutableMapping[str, str]
) -> None:
    """The same for what is signed."""
    config = Config(provider.base_url, max_retries=0)
    with pytest.raises(ClientError):
        await ask(bedrock.Bedrock("b", "us-east-1", config, bedrock.CONVERSE), model)
    assert provider.requests == []


def test_bedrock_arns_are_one_segment() -> None:
    """An inference profile's ARN keeps its slash, encoded."""
    arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-x-v1:0"
    assert segment(arn) == arn.replace(":", "%3A").replace("/", "%2F")


@pytest.mark.parametrize("model", ESCAPES)
async def test_openai_names_are_in_the_body(model: str, provider: Upstream) -> None:
    """Requests in OpenAI's API have no model in their path."""
    provider.answer(*complete("a"))
    await ask(OpenAIProvider("o", FixedKey("k"), Config(provider.base_url, max_retries=0)), model)
    (received,) = provider.requests
    assert received.path == "/v1/chat/completions"
    assert json.loads(received.body)["model"] == model
