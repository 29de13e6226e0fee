"""The Anthropic provider, over plain HTTP: retries, rotation, models, failures."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.fakes.upstream import Act, Upstream
from tests.matrix.cases import recording
from tests.providers.test_openai import FixedKey, NoKey
from tokenwire.dialects.protocol import ParsedRequest
from tokenwire.errors import ClientError, ProxyError, TokenwireError, UpstreamError
from tokenwire.providers.anthropic.provider import API
from tokenwire.providers.config import Config
from tokenwire.providers.native import Native

TEXT = recording("text", "messages")
ASK = ParsedRequest("m", True, {"model": "m", "messages": [{"role": "user", "content": "Hi"}]})


def at(upstream: Upstream, *keys: str, **config: Any) -> Native:
    """A provider in front of the scripted upstream."""
    config = {"base_url": upstream.base_url.removesuffix("/v1"), "max_retries": 0, **config}
    return Native("anthropic", FixedKey(*(keys or ("sk-one",))), Config(**config), API)


async def ask(provider: Native) -> bytes:
    """The whole body of an answer."""
    async with provider.open(ASK, "claude-x") as body:
        return b"".join([piece async for piece in body])


async def test_bytes_come_untouched(provider: Upstream) -> None:
    """The body is what the provider sent; the request is one of the Messages API."""
    provider.answer(TEXT)
    client = at(
        provider,
        headers={"anthropic-beta": "x"},
        secret_headers={"x-team": FixedKey("t")},
        query={"beta": "true"},
        secret_query={"account": FixedKey("a b")},
    )
    assert await ask(client) == TEXT
    await client.aclose()
    (received,) = provider.requests
    assert received.path == "/v1/messages?beta=true&account=a+b"
    assert received.json == {
        "model": "claude-x",
        "max_tokens": 8192,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
        "stream": True,
    }
    assert received.headers["accept-encoding"] == "identity"
    assert (received.headers["anthropic-beta"], received.headers["x-team"]) == ("x", "t")


async def test_retries_before_the_answer(provider: Upstream) -> None:
    """429, 5xx and broken connections are tried again, as often as configured."""
    for how in ({"status": 529, "headers": {"retry-after": "0.01"}}, {"before_head": (Act.RESET,)}):
        provider.answer(**how)
    provider.answer(TEXT)
    client = at(provider, max_retries=2)
    assert await ask(client) == TEXT
    assert len(provider.requests) == 3
    provider.script_anew()
    provider.answer(status=500, headers={"retry-after": "0.01"})
    with pytest.raises(UpstreamError) as caught:
        await ask(client)
    assert (caught.value.status, caught.value.retryable, len(provider.requests)) == (502, True, 6)
    await client.aclose()


async def test_rotated_key_is_tried_once(provider: Upstream) -> None:
    """After a refusal it reads the key again; a second refusal is an error."""
    provider.answer(status=401)
    client = at(provider, "sk-old", "sk-new")
    with pytest.raises(UpstreamError) as caught:
        await ask(client)
    await client.aclose()
    assert caught.value.code == "upstream_auth"
    assert [r.headers["x-api-key"] for r in provider.requests] == ["sk-old", "sk-new"]


@pytest.mark.parametrize(
    ("how", "kind", "code"),
    [
        ({"status": 400}, ClientError, "invalid_request"),
        ({"status": 404}, ClientError, "model_not_found"),
        ({"status": 429}, UpstreamError, "upstream_rate_limited"),
        ({"status": 529}, UpstreamError, "upstream_overloaded"),
        (
            {"status": 302, "headers": {"location": "http://127.0.0.1:9/"}},
            UpstreamError,
            "upstream_error",
        ),
        ({"before_head": (Act.RESET,)}, UpstreamError, "upstream_unreachable"),
    ],
)
async def test_failures_are_ours(
    how: dict[str, Any], kind: type[TokenwireError], code: str, provider: Upstream
) -> None:
    """Each with its code; the provider's words only for a request's own fault, redacted."""
    refusal = b'{"type":"error","error":{"type":"x","message":"bad sk-one, max_tokens too large"}}'
    provider.answer(refusal, **how)
    client = at(provider)
    with pytest.raises(kind) as caught:
        await ask(client)
    await client.aclose()
    assert caught.value.code == code
    assert "sk-one" not in caught.value.message
    assert ("max_tokens" in caught.value.message) is (how.get("status") == 400)


async def test_broken_body_is_reported(provider: Upstream) -> None:
    """A connection that breaks in mid-answer is an error, not an end."""
    provider.answer(TEXT[:200], Act.RESET)
    client = at(provider)
    with pytest.raises(UpstreamError) as caught:
        await ask(client)
    await client.aclose()
    assert caught.value.code == "upstream_disconnected"


async def test_leaving_closes_at_once(provider: Upstream) -> None:
    """The context's end closes the connection."""
    provider.answer(TEXT[:200], Act.STALL)
    client = at(provider)
    async with client.open(ASK, "m") as body:
        await anext(body)
    await asyncio.wait_for(provider.requests[0].closed.wait(), 2)
    await client.aclose()


async def test_models_are_listed(provider: Upstream) -> None:
    """The provider's list, requested once; the configured one without a request; else none."""
    provider.answer(b'{"data": [{"id": "claude-b"}, {"id": "claude-a"}]}')
    client = at(provider)
    assert await client.models() == await client.models() == ["claude-a", "claude-b"]
    assert len(provider.requests) == 1
    assert provider.requests[0].path.startswith("/v1/models")
    await client.aclose()
    assert await at(provider, models=("x",)).models() == ["x"]
    provider.script_anew()
    provider.answer(b"nonsense")
    silent = at(provider)
    assert await silent.models() == []
    await silent.aclose()
    keyless = Native("a", NoKey(), Config(), API)
    assert await keyless.models() == []
    with pytest.raises(ProxyError):
        await ask(keyless)
    await keyless.aclose()


async def test_wrong_address_is_configuration() -> None:
    """Not the provider's fault, nor the caller's."""
    client = Native("a", FixedKey("k"), Config("nonsense://x", max_retries=0), API)
    with pytest.raises(ProxyError) as caught:
        await ask(client)
    await client.aclose()
    assert caught.value.code == "bad_provider"
