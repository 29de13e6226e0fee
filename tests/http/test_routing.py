"""Aliases and fallbacks: another provider is tried, but only before the first content."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.conftest import Serve
from tests.fakes.upstream import ROLE, STOP, Act, Step, Upstream, complete, text
from tests.http.reading import printed, read, text_of
from tests.matrix.cases import recording

LIMITED: dict[str, Any] = {"status": 429, "headers": {"x-should-retry": "false"}}
INSIDE = b'data: {"error":{"type":"overloaded_error"}}\n\n'


async def app(provider: Upstream, serve: Serve) -> httpx2.AsyncClient:
    """The app, with both kinds of provider behind the same door."""
    anthropic = {"ANTHROPIC_API_KEY": "sk-two", "ANTHROPIC_BASE_URL": provider.base_url}
    return await serve(provider, TOKENWIRE_CONFIG="tests/http/routes.toml", **anthropic)


async def ask(client: httpx2.AsyncClient, model: str) -> httpx2.Response:
    """A question, streamed as chat."""
    messages = [{"role": "user", "content": "x"}]
    body = {"model": model, "messages": messages, "stream": True}
    return await client.post("/v1/chat/completions", json=body)


async def test_alias_is_another_name(provider: Upstream, serve: Serve) -> None:
    """The provider gets its own name of the model; the response names the model."""
    provider.answer(*complete("Hi"))
    response = await ask(await app(provider, serve), "alias")
    assert provider.requests[0].json["model"] == "small"
    assert response.headers["x-model"] == "openai/small"


@pytest.mark.parametrize(
    ("steps", "how"),
    [
        ((), LIMITED),
        ((), {"status": 500}),
        ((ROLE, INSIDE), {}),
        ((ROLE, Act.HANG_UP), {}),
        ((ROLE, Act.STALL), {}),
        ((), {"before_head": (Act.STALL,)}),
    ],
)
async def test_next_is_called(
    steps: tuple[Step, ...],
    how: dict[str, Any],
    provider: Upstream,
    serve: Serve,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """429, 5xx, an error inside a 200, a hang-up, silence: Anthropic answers, in chat's chunks."""
    provider.answer(*steps, **how)
    provider.answer(recording("text", "messages"))
    client = await app(provider, serve)
    response = await ask(client, "best")
    assert (response.status_code, response.headers["x-model"]) == (200, "anthropic/claude")
    assert "wörld" in response.text
    assert response.text.endswith("data: [DONE]\n\n")
    assert [received.path for received in provider.requests] == [
        "/v1/chat/completions",
        "/v1/messages",
    ]
    received = await printed(capfd, 1)
    assert '"attempts":[{"model":"openai/big","error":"' in received
    assert '},{"model":"anthropic/claude"}]' in received


async def test_not_after_the_first_content(provider: Upstream, serve: Serve) -> None:
    """What the caller has received cannot be taken back: the stream ends with its error."""
    provider.answer(ROLE, text("Hal"), INSIDE)
    client = await app(provider, serve)
    response = await client.post("/api/stream", json={"message": "x", "model": "best"})
    assert text_of(response.content) == "Hal"
    assert read(response.content)[-1][1]["code"] == "upstream_overloaded"
    assert len(provider.requests) == 1


async def test_not_for_the_request_s_own_fault(provider: Upstream, serve: Serve) -> None:
    """After a client's error no other provider is tried."""
    provider.answer(b'{"error": {"message": "too long", "code": "long"}}', status=400)
    response = await ask(await app(provider, serve), "best")
    assert (response.status_code, response.json()["error"]["message"]) == (400, "too long")
    assert len(provider.requests) == 1


async def test_last_failure_is_returned(provider: Upstream, serve: Serve) -> None:
    """When every provider fails, the client gets the error of the last one."""
    provider.answer(status=500)
    provider.answer(**LIMITED)
    response = await ask(await app(provider, serve), "steady")
    assert response.status_code == 429
    assert [received.json["model"] for received in provider.requests] == ["big", "small"]


async def test_translated_errors_and_ends(provider: Upstream, serve: Serve) -> None:
    """A second provider's error during the stream is translated to the first one's dialect."""
    provider.answer(status=500)
    provider.answer(ROLE, text("Hal"), INSIDE)
    client = await app(provider, serve)
    response = await client.post("/api/stream", json={"message": "x", "model": "second"})
    assert text_of(response.content) == "Hal"
    assert read(response.content)[-1][1]["type"] == "error"


async def test_provider_that_cannot_express_it_is_skipped(provider: Upstream, serve: Serve) -> None:
    """A fallback that would have to drop a part of the request is no fallback for it."""
    provider.answer(status=500)
    provider.answer(*complete("x"))
    client = await app(provider, serve)
    body = {
        "model": "second",
        "max_tokens": 9,
        "top_k": 3,
        "messages": [{"role": "user", "content": "x"}],
    }
    response = await client.post("/v1/messages", json=body)
    assert response.status_code == 502
    assert len(provider.requests) == 1


async def test_fallback_without_a_terminator(provider: Upstream, serve: Serve) -> None:
    """A stream that ends after the finish without ``[DONE]`` is complete."""
    provider.answer(status=500)
    provider.answer(ROLE, text("Hallo"), STOP)
    client = await app(provider, serve)
    response = await client.post("/api/stream", json={"message": "x", "model": "second"})
    assert text_of(response.content) == "Hallo"
    assert read(response.content)[-1][1] == "[DONE]"


async def test_fallback_that_is_cut_off(provider: Upstream, serve: Serve) -> None:
    """A stream that ends before its finish is truncated."""
    provider.answer(status=500)
    provider.answer(ROLE, text("Hal"))
    client = await app(provider, serve)
    response = await client.post("/api/stream", json={"message": "x", "model": "second"})
    assert read(response.content)[-1][1]["code"] == "upstream_truncated"


@pytest.mark.parametrize("wanted", [True, False])
async def test_fallback_tells_usage_once(wanted: bool, provider: Upstream, serve: Serve) -> None:
    """Anthropic counts twice, at its start and at its end; a chat client gets one, or none."""
    provider.answer(status=500)
    provider.answer(recording("text", "messages"))
    client = await app(provider, serve)
    body = {
        "model": "best",
        "messages": [{"role": "user", "content": "x"}],
        "stream": True,
        "stream_options": {"include_usage": wanted},
    }
    response = await client.post("/v1/chat/completions", json=body)
    assert response.text.count('"usage":{') == wanted
    *_, last, _ = [line for line in response.text.splitlines() if line.startswith("data:")]
    assert ('"choices":[]' in last) is wanted
