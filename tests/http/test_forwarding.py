"""What of a caller's headers reaches a provider, and where a Messages stream ends."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Serve
from tests.fakes.upstream import Upstream
from tests.matrix.cases import recording
from tokenwire.dialects.messages import DIALECT
from tokenwire.errors import ClientError
from tokenwire.gateway.forwarding import forwarded

ASK: dict[str, Any] = {
    "model": "anthropic/m",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "Hi"}],
    "stream": True,
}
SENT = {
    "anthropic-version": "2024-01-01",
    "anthropic-beta": "context-1m-2025-08-07,compact-2026-01-12",
    "x-secret": "mine",
    "cookie": "a=b",
    "x-api-key": "callers-own",
}


async def ask(provider: Upstream, serve: Serve, body: dict[str, Any], path: str) -> dict[str, str]:
    """The headers that reach Anthropic."""
    provider.answer(recording("text", "messages"))
    anthropic = {"ANTHROPIC_API_KEY": "sk-two", "ANTHROPIC_BASE_URL": provider.base_url}
    client = await serve(None, **anthropic)
    response = await client.post(path, json=body, headers=SENT)
    assert response.status_code == 200
    return provider.requests[0].headers


async def test_version_and_betas_reach_anthropic(provider: Upstream, serve: Serve) -> None:
    """A Messages caller's own version and betas count; nothing else of its headers goes on."""
    received = await ask(provider, serve, ASK, "/v1/messages")
    assert received["anthropic-version"] == SENT["anthropic-version"]
    assert received["anthropic-beta"] == SENT["anthropic-beta"]
    assert received["x-api-key"] == "sk-two"
    assert not {"x-secret", "cookie"} & received.keys()


async def test_translated_requests_have_ours(provider: Upstream, serve: Serve) -> None:
    """A caller of another dialect does not choose how we speak to Anthropic."""
    body = {**ASK, "model": "anthropic/m"}
    received = await ask(provider, serve, body, "/v1/chat/completions")
    assert received["anthropic-version"] == "2023-06-01"
    assert "anthropic-beta" not in received


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("anthropic-version", ""),
        ("anthropic-version", "2023\u00e9"),
        ("anthropic-version", "2" * 33),
        ("anthropic-beta", "a;b"),
        ("anthropic-beta", "a\tb"),
        ("anthropic-beta", "a" * 2049),
    ],
)
def test_malformed_headers_are_refused(name: str, value: str) -> None:
    """A malformed header is an error that names it; the provider does not get it."""
    with pytest.raises(ClientError) as caught:
        forwarded({name: value}, DIALECT.forwarded)
    assert (caught.value.code, caught.value.param) == ("invalid_value", name)


async def test_repeated_betas_are_one_list(provider: Upstream, serve: Serve) -> None:
    """A header that is sent twice reaches the provider once, with both lists."""
    provider.answer(recording("text", "messages"))
    anthropic = {"ANTHROPIC_API_KEY": "sk-two", "ANTHROPIC_BASE_URL": provider.base_url}
    client = await serve(None, **anthropic)
    betas = [("anthropic-beta", "a"), ("anthropic-beta", "b, c")]
    assert (await client.post("/v1/messages", json=ASK, headers=betas)).status_code == 200
    assert provider.requests[0].headers["anthropic-beta"] == "a,b, c"


async def test_stream_without_message_stop_is_not_whole(provider: Upstream, serve: Serve) -> None:
    """A Messages stream that is cut after its stop reason is an error."""
    stream = recording("text", "messages")
    cut = stream[: stream.index(b"event: message_stop")]
    assert b"stop_reason" in cut
    provider.answer(cut)
    anthropic = {"ANTHROPIC_API_KEY": "sk-two", "ANTHROPIC_BASE_URL": provider.base_url}
    client = await serve(None, **anthropic)
    streamed = await client.post("/v1/messages", json=ASK)
    assert b"event: error" in streamed.content
    assert b"message_stop" not in streamed.content
    whole = await client.post("/v1/messages", json={**ASK, "stream": False})
    assert whole.status_code == 502
    assert whole.json()["error"]["code"] == "upstream_truncated"
