"""The OpenAI provider: the caller's bytes out, the provider's bytes in, one door for failures."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.fakes.upstream import ROLE, Act, Upstream, complete, text
from tokenwire.dialects.protocol import ParsedRequest
from tokenwire.errors import ClientError, ProxyError, TokenwireError, UpstreamError
from tokenwire.providers.config import Config
from tokenwire.providers.failures import from_status, unreachable
from tokenwire.providers.openai.provider import OpenAIProvider
from tokenwire.settings import load


@pytest.fixture(params=[True, False], ids=["sdk", "plain"])
def sdk(request: pytest.FixtureRequest) -> bool:
    """Whether requests go through the SDK."""
    return bool(request.param)


LAMBDA = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"}
MESSAGES = [{"role": "user", "content": "Hi"}]


class FixedKey:
    """A key that can be rotated by hand."""

    def __init__(self, *values: str) -> None:
        self.values = list(values)
        self.refreshed = 0

    async def __call__(self) -> str:
        """The key in use."""
        return self.values[0]

    async def refresh(self) -> bool:
        """The next key, if there is one."""
        self.refreshed += 1
        if len(self.values) > 1:
            self.values.pop(0)
            return True
        return False


class NoKey(FixedKey):
    """A key that cannot be had."""

    async def __call__(self) -> str:
        """Say so."""
        raise ProxyError("no key", code="secret_unavailable")


def request(**more: Any) -> ParsedRequest:
    """A validated request."""
    return ParsedRequest("m", True, {"model": "m", "messages": MESSAGES, **more})


async def ask(provider: OpenAIProvider, **more: Any) -> bytes:
    """The whole body of an answer."""
    async with provider.open(request(**more), "gpt-x") as body:
        return b"".join([piece async for piece in body])


def at(upstream: Upstream, *keys: str, **config: Any) -> OpenAIProvider:
    """A provider in front of the scripted upstream."""
    config = {"base_url": upstream.base_url, "max_retries": 0, **config}
    return OpenAIProvider("openai", FixedKey(*(keys or ("sk-one",))), Config(**config))


async def test_bytes_come_untouched(provider: Upstream, sdk: bool) -> None:
    """The body is what the provider sent, byte for byte."""
    provider.answer(*complete("a", "ü"))
    client = at(provider, sdk=sdk)
    assert await ask(client) == b"".join(complete("a", "ü"))
    await client.aclose()


async def test_options_are_merged(provider: Upstream, sdk: bool) -> None:
    """The caller's stream options are kept, and usage is always requested."""
    provider.answer(*complete("a"))
    client = at(provider, sdk=sdk, headers={"x-team": "blue"}, query={"api-version": "2026-01-01"})
    await ask(client, stream_options={"include_obfuscation": False}, seed=7)
    await client.aclose()

    sent = provider.requests[0]
    assert sent.path == "/v1/chat/completions?api-version=2026-01-01"
    assert (sent.headers["x-team"], sent.headers["accept-encoding"]) == ("blue", "identity")
    assert sent.json["seed"] == 7
    assert sent.json["stream_options"] == {"include_obfuscation": False, "include_usage": True}


async def test_connection_is_reused(provider: Upstream, sdk: bool) -> None:
    """A body that was read to its end leaves its connection for the next request."""
    provider.answer(*complete("a"))
    client = at(provider, sdk=sdk)
    for _ in range(3):
        await ask(client)
    assert len(provider.requests) == 3
    assert not any(received.closed.is_set() for received in provider.requests[:2])
    await client.aclose()


async def test_leaving_closes_at_once(provider: Upstream, sdk: bool) -> None:
    """A body that was not read to its end costs the connection, not the reader's time."""
    provider.answer(ROLE, text("a"), Act.STALL)
    client = at(provider, sdk=sdk)
    async with client.open(request(), "m") as body:
        await anext(body)
    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)
    await client.aclose()


async def test_cancelling_closes_too(provider: Upstream, sdk: bool) -> None:
    """Likewise while the provider has not answered yet."""
    provider.answer(before_head=(Act.STALL,))
    client = at(provider, sdk=sdk)
    pending = asyncio.create_task(ask(client))
    await asyncio.wait_for(provider.arrived.wait(), 5)
    pending.cancel()
    await asyncio.wait([pending])
    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)
    await client.aclose()


async def test_rotated_key_is_tried_once(provider: Upstream, sdk: bool) -> None:
    """A refused key is fetched anew and tried again; a second refusal is final."""
    provider.answer(status=401)
    provider.answer(*complete("a"))
    client = at(provider, "sk-old", "sk-new", sdk=sdk)
    await ask(client)
    await client.aclose()
    used = [received.headers["authorization"] for received in provider.requests]
    assert used == ["Bearer sk-old", "Bearer sk-new"]


async def test_unchanged_key_is_not_retried(provider: Upstream, sdk: bool) -> None:
    """If the key has not changed, a second request would not help."""
    provider.answer(status=401)
    client = at(provider, sdk=sdk)
    with pytest.raises(UpstreamError) as caught:
        await ask(client)
    await client.aclose()
    assert caught.value.code == "upstream_auth"
    assert len(provider.requests) == 1


async def test_retries_are_counted(provider: Upstream, sdk: bool) -> None:
    """It is tried again as often as it is allowed to, before the first byte."""
    provider.answer(status=503, headers={"retry-after-ms": "1"})
    client = at(provider, sdk=sdk, max_retries=2)
    with pytest.raises(UpstreamError):
        await ask(client)
    await client.aclose()
    assert len(provider.requests) == 3


async def test_redirects_are_not_followed(provider: Upstream, sdk: bool) -> None:
    """A provider cannot send our key elsewhere."""
    provider.answer(status=307, headers={"location": "http://127.0.0.1:9/"})
    client = at(provider, sdk=sdk)
    with pytest.raises(UpstreamError) as caught:
        await ask(client)
    await client.aclose()
    assert caught.value.code == "upstream_error"


async def test_broken_body_is_reported(provider: Upstream, sdk: bool) -> None:
    """A connection that breaks in mid-body is a disconnection, not an end."""
    for act in (Act.RESET, Act.HANG_UP):
        provider.script_anew()
        provider.answer(ROLE, act)
        client = at(provider, sdk=sdk)
        with pytest.raises(UpstreamError) as caught:
            await ask(client)
        await client.aclose()
        assert caught.value.code == "upstream_disconnected"


async def test_closed_port_is_unreachable(sdk: bool) -> None:
    """No server listens."""
    client = OpenAIProvider(
        "x", FixedKey("k"), Config("http://127.0.0.1:9/v1", max_retries=0, sdk=sdk)
    )
    with pytest.raises(UpstreamError) as caught:
        await ask(client)
    await client.aclose()
    assert (caught.value.code, caught.value.status) == ("upstream_unreachable", 502)


async def test_missing_key_is_ours(sdk: bool) -> None:
    """Without a key nothing is sent, and the error is the secret's own."""
    client = OpenAIProvider("x", NoKey(), Config(sdk=sdk))
    with pytest.raises(ProxyError):
        await ask(client)
    assert await client.models() == []
    await client.aclose()


async def test_configured_models_are_listed() -> None:
    """Configured models are not requested."""
    client = OpenAIProvider("x", FixedKey("k"), Config("http://127.0.0.1:9/v1", models=("a", "b")))
    assert await client.models() == ["a", "b"]


@pytest.mark.parametrize(
    ("answer", "names"), [({"data": [{"id": "b"}, {"id": "a"}]}, ["a", "b"]), ({"nonsense": 1}, [])]
)
async def test_models_are_listed(
    answer: dict[str, Any], names: list[str], provider: Upstream, sdk: bool
) -> None:
    """The provider's own list; none where it does not make sense."""
    provider.answer(json.dumps(answer).encode(), headers={"content-type": "application/json"})
    client = at(provider, sdk=sdk, headers={"x-team": "blue"}, query={"api-version": "1"})
    assert await client.models() == names
    await client.aclose()
    sent = provider.requests[0]
    assert sent.path == "/v1/models?api-version=1"
    assert (sent.headers["authorization"], sent.headers["x-team"]) == ("Bearer sk-one", "blue")


@pytest.mark.parametrize("header", ["authorization", "Authorization"])
async def test_configured_authorization_wins(header: str, provider: Upstream, sdk: bool) -> None:
    """A header of the configuration replaces the one made of the key, in any case."""
    provider.answer(*complete("a"))
    client = at(provider, sdk=sdk, headers={header: "Basic abc"})
    await ask(client)
    await client.aclose()
    assert provider.requests[0].headers["authorization"] == "Basic abc"


@pytest.mark.parametrize(
    ("environ", "sdk"),
    [
        ({}, True),
        (LAMBDA, False),
        ({**LAMBDA, "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}, False),
        ({**LAMBDA, "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"}, True),
        ({"TOKENWIRE_OPENAI_SDK": "false"}, False),
        (
            {**LAMBDA, "TOKENWIRE_OPENAI_SDK": "true"},
            True,
        ),
    ],
)
def test_on_demand_environments_do_without_the_sdk(
    environ: dict[str, str], sdk: bool, tmp_path: Path
) -> None:
    """Where a request waits for the process's start, unless the setting tells otherwise."""
    assert load(environ, tmp_path).openai_sdk is sdk


@pytest.mark.parametrize(
    ("status", "kind", "code", "retryable"),
    [
        (400, ClientError, "invalid_request", False),
        (404, ClientError, "model_not_found", False),
        (413, ClientError, "invalid_request", False),
        (422, ClientError, "invalid_request", False),
        (401, UpstreamError, "upstream_auth", False),
        (403, UpstreamError, "upstream_auth", False),
        (408, UpstreamError, "upstream_timeout", True),
        (409, UpstreamError, "upstream_error", True),
        (429, UpstreamError, "upstream_rate_limited", True),
        (500, UpstreamError, "upstream_error", True),
        (503, UpstreamError, "upstream_overloaded", True),
        (529, UpstreamError, "upstream_overloaded", True),
    ],
)
def test_errors_of_statuses(
    status: int, kind: type[TokenwireError], code: str, retryable: bool
) -> None:
    """Each status of a failure becomes one of our errors, without the request's secrets."""
    found = from_status(status, {"message": "sk-secret-1"}, {}, ["sk-secret"])
    assert type(found) is kind
    assert (found.code, found.retryable) == (code, retryable)
    assert "secret" not in found.message


def caused(outer: Exception, cause: Exception) -> Exception:
    """An exception with a cause."""
    outer.__cause__ = cause
    return outer


@pytest.mark.parametrize(
    ("error", "kind", "code", "retryable"),
    [
        (httpx2.ConnectError("x"), UpstreamError, "upstream_unreachable", True),
        (httpx2.ConnectTimeout("x"), UpstreamError, "timeout_connect", True),
        (
            caused(OSError("sk-secret"), httpx2.ConnectTimeout("x")),
            UpstreamError,
            "timeout_connect",
            True,
        ),
        (httpx2.UnsupportedProtocol("x"), ProxyError, "bad_provider", False),
        (RuntimeError("sk-secret"), UpstreamError, "upstream_unreachable", True),
    ],
)
def test_errors_of_requests_without_a_response(
    error: Exception, kind: type[TokenwireError], code: str, retryable: bool
) -> None:
    """Each exception of the HTTP client becomes one of our errors, without its text."""
    found = unreachable(error)
    assert type(found) is kind
    assert (found.code, found.retryable) == (code, retryable)
    assert "secret" not in found.message


def test_retry_after_is_seconds_only() -> None:
    """A number of seconds is passed on; a date, or nonsense, is not."""
    assert from_status(429, {}, {"retry-after": "7"}, ()).retry_after == 7.0
    assert from_status(429, {}, {"retry-after": "99999"}, ()).retry_after == 3600.0
    assert from_status(429, {}, {"retry-after": "Wed, 21 Oct"}, ()).retry_after is None
