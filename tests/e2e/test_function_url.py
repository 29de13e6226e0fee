"""The app as on Lambda: the runtime in its own process, behind the local function URL."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.fakes.function_url import function_url
from tests.fakes.upstream import DONE, ROLE, STOP, Act, Upstream, complete, text
from tests.http.reading import printed, read, text_of

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

pytestmark = pytest.mark.outside

ASK = {"message": "x", "model": "openai/m"}


def behind(provider: Upstream, **settings: str) -> dict[str, str]:
    """Return the function's environment variables, with a scripted provider."""
    return {"OPENAI_API_KEY": "sk-one", "OPENAI_BASE_URL": provider.base_url, **settings}


def client_of(base_url: str, **headers: str) -> httpx2.AsyncClient:
    """Return a client of the function URL."""
    return httpx2.AsyncClient(
        base_url=base_url, headers=headers, timeout=30, trust_env=False, verify=False
    )


async def test_detached_streams_are_refused(provider: Upstream) -> None:
    """Starting a detached stream is a 501: a function is frozen after its response."""
    async with (
        function_url(behind(provider), concurrency=1) as url,
        client_of(url) as client,
    ):
        response = await client.post("/v1/streams", json=ASK)
    assert response.status_code == 501
    assert response.json()["code"] == "not_on_lambda"
    assert "POST /api/stream" in response.json()["message"]
    assert provider.requests == []


async def test_buffered_url_with_a_message_id_pays_once(provider: Upstream) -> None:
    """Where responses are buffered, opening the same URL anew returns the same answer."""
    provider.answer(*complete("Hi"))
    url = "/api/stream?prompt=x&model=openai/m&messageId=m-1"
    async with function_url(behind(provider), streams=False) as base, client_of(base) as client:
        first, again = await client.get(url), await client.get(url)
        other = await client.get(url.replace("=x", "=y"))
    assert (text_of(first.content), again.content) == ("Hi", first.content)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(provider.requests) == 1


async def test_stream_ends_before_the_deadline(provider: Upstream) -> None:
    """Shortly before Lambda's deadline, the stream ends with an error event."""
    provider.answer(ROLE, text("a"), Act.STALL)
    async with (
        function_url(behind(provider), concurrency=1, timeout=3) as url,
        client_of(url) as client,
    ):
        response = await client.post("/api/stream", json=ASK)
        again = await client.get("/healthz")
    assert text_of(response.content) == "a"
    *_, (_, error) = read(response.content)
    assert (error["type"], error["code"], error["retryable"]) == ("error", "timeout_total", True)
    assert again.status_code == 200
    assert provider.requests[0].closed.is_set()


async def test_secrets_come_from_ssm(provider: Upstream, parameter_store: SSMClient) -> None:
    """Keys of callers and of the provider, and a header, are references decrypted at first use."""
    for name, value in {
        "/tw/openai": "sk-from-ssm",
        "/tw/callers": "key-one-of-tests, key-two-of-tests",
        "/tw/team": "team-secret",
        "/tw/tickets": "a secret of some length",
    }.items():
        parameter_store.put_parameter(Name=name, Value=value, Type="SecureString")
    provider.answer(*complete("Hi"))
    environ = behind(
        provider,
        OPENAI_API_KEY="ssm:/tw/openai",
        TOKENWIRE_API_KEYS="ssm:/tw/callers",
        TOKENWIRE_SECRET="ssm:/tw/tickets",
        TOKENWIRE_CONFIG="tests/e2e/secret_header.toml",
        **aws_environ(),
    )
    async with function_url(environ, concurrency=4) as url:
        async with client_of(url, authorization="Bearer key-two-of-tests") as client:
            response = await client.post("/api/stream", json=ASK)
            stream = response.headers["x-stream-id"]
            shared = await client.post(f"/v1/streams/{stream}/ticket")
        async with client_of(url) as stranger:
            refused = await stranger.post("/api/stream", json=ASK)
            watched = await stranger.get(shared.json()["url"])
    assert text_of(response.content) == "Hi"
    assert provider.requests[0].headers["authorization"] == "Bearer sk-from-ssm"
    assert provider.requests[0].headers["x-team"] == "team-secret"
    assert refused.status_code == 401
    assert text_of(watched.content) == "Hi"


async def test_rotated_key_is_in_use_within_a_request(
    provider: Upstream, parameter_store: SSMClient
) -> None:
    """If the provider refuses the old key, the same request is repeated with the new one."""

    def rotate(value: str) -> None:
        parameter_store.put_parameter(
            Name="/tw/openai", Value=value, Type="SecureString", Overwrite=True
        )

    rotate("sk-old")
    provider.answer(*complete("before"))
    environ = behind(provider, OPENAI_API_KEY="ssm:/tw/openai", **aws_environ())
    async with function_url(environ, concurrency=1) as url, client_of(url) as client:
        await client.post("/api/stream", json=ASK)
        rotate("sk-new")
        await asyncio.sleep(1.1)  # the key is not fetched again within a second
        provider.script_anew()
        provider.answer(b'{"error": {"message": "sk-old is invalid"}}', status=401)
        provider.answer(*complete("after"))
        response = await client.post("/api/stream", json=ASK)
    assert text_of(response.content) == "after"
    keys = [received.headers["authorization"] for received in provider.requests]
    assert keys == ["Bearer sk-old", "Bearer sk-old", "Bearer sk-new"]


async def test_missing_parameter_is_named(provider: Upstream, parameter_store: SSMClient) -> None:
    """The error in the log names the parameter and the missing permission."""
    environ = behind(provider, OPENAI_API_KEY="ssm:/tw/none", **aws_environ())
    async with function_url(environ, concurrency=1) as url, client_of(url) as client:
        messages = [{"role": "user", "content": "x"}]
        response = await client.post(
            "/v1/chat/completions", json={"model": "openai/m", "messages": messages}
        )
    assert response.status_code == 503
    error = response.json()["error"]
    assert error["code"] == "secret_unavailable"
    assert "ssm:/tw/none" in error["message"]
    assert "ssm:GetParametersByPath" in error["message"]


async def test_each_request_leaves_its_own_line(
    provider: Upstream, capfd: pytest.CaptureFixture[str]
) -> None:
    """Concurrent requests have one log line and one EMF line each, with their invocation's id."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("a"), gate, STOP, DONE)
    environ = behind(provider, TOKENWIRE_EMF_NAMESPACE="Tokenwire", TOKENWIRE_DEMO="false")
    async with function_url(environ, concurrency=8) as url, client_of(url) as client:
        pending = [asyncio.create_task(client.post("/api/stream", json=ASK)) for _ in range(8)]
        while len(provider.requests) < 8:
            await asyncio.sleep(0.01)
        gate.set()
        answers = await asyncio.gather(*pending)
        lines = json_lines(await printed(capfd, 8, "CloudWatchMetrics"))

    logged = {line["request_id"]: line for line in lines if line.get("message") == "request"}
    counted = {line["request_id"]: line for line in lines if "_aws" in line}
    ids = {answer.headers["x-request-id"] for answer in answers}
    assert set(logged) == set(counted) == ids
    for answer in answers:
        line = logged[answer.headers["x-request-id"]]
        assert line["function_request_id"] == answer.headers["x-amzn-requestid"]
        assert line["stream_id"] == answer.headers["x-stream-id"]
        assert line["memory_mb"] == 1024
        assert 0 < line["remaining_ms"] <= 60_000
        emf = counted[answer.headers["x-request-id"]]
        assert emf["Streams"] == [1.0]
    assert sorted(line["cold_start"] for line in logged.values()) == [False] * 7 + [True]


def json_lines(text: str) -> list[dict[str, Any]]:
    """Return the lines that are JSON objects; Lambda's own are not."""
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def aws_environ() -> dict[str, str]:
    """Return the AWS variables of a function's process, as set by the ``aws`` fixture."""
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}


def test_handler_is_the_template_s() -> None:
    """The handler named in the template can be imported."""
    assert "Handler: tokenwire.lambda_handler.handler" in Path("template.yaml").read_text()


@pytest.mark.parametrize("value", ["short", "ssm:/tw/elsewhere", "ssm:no-slash"])
async def test_parameter_must_hold_a_key(value: str, parameter_store: SSMClient) -> None:
    """If the parameter holds no key, every request is refused, with the reason in the log."""
    parameter_store.put_parameter(
        Name="/tw/mistaken", Value=value, Type="SecureString", Overwrite=True
    )
    environ = {"TOKENWIRE_API_KEYS": "ssm:/tw/mistaken", **aws_environ()}
    async with (
        function_url(environ, concurrency=1) as url,
        client_of(url, authorization=f"Bearer {value}") as client,
    ):
        response = await client.post("/v1/chat/completions", json=ASK)
    assert response.status_code == 503
    error = response.json()["error"]
    assert error["code"] == "bad_setting"
    assert "TOKENWIRE_API_KEYS" in error["message"]
