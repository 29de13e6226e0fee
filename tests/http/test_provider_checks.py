"""What the server knows of its providers, and the model of a request that names none."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, MutableMapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.conftest import Serve
from tests.fakes.ports import reserved_port
from tests.fakes.upstream import Act, Upstream, complete, upstream
from tests.http.reading import read
from tokenwire.gateway.checks import REPEAT, Check, Checks, Status
from tokenwire.gateway.defaults import best, default_of
from tokenwire.providers.demo.provider import Demo
from tokenwire.providers.protocol import Reply, Role

SECRET = "sk-secret-of-tests"
MODELS = ["babbage-002", "gpt-5-mini", "gpt-5.1", "gpt-10-mini", "text-embedding-3", "whisper-1"]


def listed(*names: str) -> bytes:
    """A list of models, as OpenAI and Anthropic write it."""
    return json.dumps({"object": "list", "data": [{"id": name} for name in names]}).encode()


@pytest.fixture
async def providers() -> AsyncIterator[dict[str, Upstream]]:
    """Four scripted providers."""
    async with AsyncExitStack() as stack:
        names = ("good", "refusing", "missing", "limited")
        yield {name: await stack.enter_async_context(upstream()) for name in names}


def configuration(folder: Path, urls: dict[str, str]) -> str:
    """The path of a file with these providers."""
    lines = ["default_model = ''"]
    for name, url in urls.items():
        lines += [f"[providers.{name}]", f"base_url = '{url}'", "key = 'env:THE_KEY'"]
    (folder / "tokenwire.toml").write_text("\n".join(lines))
    return str(folder / "tokenwire.toml")


async def settled(client: httpx2.AsyncClient) -> dict[str, Any]:
    """``/readyz`` once every provider has been checked."""
    async with asyncio.timeout(20):
        while True:
            found: dict[str, Any] = (await client.get("/readyz")).json()
            if all(check["status"] != "unknown" for check in found["checks"].values()):
                return found
            await asyncio.sleep(0.02)


async def test_each_provider_is_asked_once(
    providers: dict[str, Upstream], serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A good key, a refused one, no list, a limit, no server, no key: all results differ."""
    caplog.set_level(logging.INFO)
    providers["good"].answer(listed(*MODELS))
    providers["refusing"].answer(b'{"error":{"message":"' + SECRET.encode() + b'"}}', status=401)
    providers["missing"].answer(b"<html>", status=404)
    providers["limited"].answer(status=429)
    urls = {name: found.base_url for name, found in providers.items()}
    urls["dead"] = f"http://127.0.0.1:{reserved_port()}/v1"
    config = configuration(tmp_path, urls)
    with (tmp_path / "tokenwire.toml").open("a") as file:
        file.write("\n[providers.groq]\nbase_url = 'http://127.0.0.1:1'\nkey = 'env:GROQ_API_KEY'")
    client = await serve(
        TOKENWIRE_CONFIG=config,
        TOKENWIRE_CHECK_PROVIDERS="true",
        TOKENWIRE_DEFAULT_MODEL="",
        THE_KEY=SECRET,
    )

    found = await settled(client)

    checks = {name: (one["status"], one["detail"]) for name, one in found["checks"].items()}
    assert checks == {
        "good": ("ok", "6 models"),
        "refusing": ("refused", "key refused (401)"),
        "missing": ("ok", "answers, without a list of models (404)"),
        "limited": ("failed", "answered with status 429"),
        "dead": ("unreachable", "The provider could not be reached."),
        "groq": ("no_key", "GROQ_API_KEY is not set"),
        "demo": ("ok", checks["demo"][1]),
    }
    assert {len(one.requests) for one in providers.values()} == {1}
    assert providers["good"].requests[0].headers["authorization"] == f"Bearer {SECRET}"
    listing = (await client.get("/v1/models")).json()
    assert listing["default"] == found["default_model"] == "good/gpt-10-mini"
    assert listing["providers"]["refusing"] == found["checks"]["refusing"]
    assert listing["providers"]["anthropic"] == {
        "status": "off",
        "detail": "ANTHROPIC_API_KEY is not set",
    }
    lines = [record.__dict__ for record in caplog.records if record.message == "provider"]
    assert {(line["provider"], line["detail"]) for line in lines} == {
        (name, detail) for name, (_, detail) in checks.items()
    }
    assert SECRET not in json.dumps([found, listing, [str(line) for line in lines]])


async def test_strangers_learn_nothing_of_providers(serve: Serve, provider: Upstream) -> None:
    """Where the server has keys, a request without one gets the status alone."""
    provider.answer(status=401)
    client = await serve(provider, TOKENWIRE_API_KEYS="key-one-of-tests")
    assert (await client.get("/readyz")).json() == {"status": "ok"}
    known = (await client.get("/readyz", headers={"x-api-key": "key-one-of-tests"})).json()
    assert set(known["checks"]) == {"openai", "demo"}


async def test_request_without_a_model_goes_to_a_real_one(provider: Upstream, serve: Serve) -> None:
    """The first usable model of the provider, and not the demo, though that is on."""
    provider.answer(listed(*MODELS))
    provider.answer(*complete("Hi"))
    client = await serve(provider, TOKENWIRE_DEFAULT_MODEL="")
    response = await client.post("/api/stream", json={"message": "x"})
    assert read(response.content)[0][1]["model"] == "openai/gpt-10-mini"
    assert provider.requests[1].json["model"] == "gpt-10-mini"


async def test_refused_key_is_no_reason_for_the_demo(provider: Upstream, serve: Serve) -> None:
    """Without a usable model the request is refused, with what to set."""
    provider.answer(status=401)
    client = await serve(provider, TOKENWIRE_DEFAULT_MODEL="")
    response = await client.post("/api/stream", json={"message": "x"})
    assert (response.status_code, response.json()["code"]) == (404, "model_not_found")
    assert "TOKENWIRE_DEFAULT_MODEL" in response.json()["message"]
    assert (await client.get("/v1/models")).json()["default"] == ""


async def test_demo_alone_is_the_default(serve: Serve) -> None:
    """Without any key the first page works; the setting wins over it."""
    client = await serve(TOKENWIRE_DEFAULT_MODEL="")
    response = await client.post("/api/stream", json={"message": "x /fast"})
    assert read(response.content)[0][1]["model"] == "demo/markdown"


class Listing(Demo):
    """A provider that answers with these replies, in order; counts its requests."""

    def __init__(self, *replies: Reply | Exception) -> None:
        super().__init__(1.0)
        self._replies = list(replies)
        self.calls = 0

    async def probe(self) -> Reply:
        """As ``Probed``."""
        self.calls += 1
        found = self._replies.pop(0)
        if isinstance(found, Exception):
            raise found
        return found


async def test_failed_check_is_repeated_when_due() -> None:
    """Not before ``REPEAT`` seconds, and only for a request; after a success never again."""
    now = 0.0
    provider = Listing(Reply(500), Reply(200, ("a",)))
    checks = Checks({"x": provider}, {}, lambda: now)
    assert (await checks.results())["x"].detail == "answered with status 500"
    now = REPEAT - 1
    assert (await checks.results())["x"].status is Status.FAILED
    now = REPEAT
    assert (await checks.results())["x"] == Check(Status.OK, "1 model", ("a",))
    now = 100 * REPEAT
    await checks.results()
    assert provider.calls == 2


async def test_concurrent_callers_share_one_request() -> None:
    """Requests that need the result while a check runs wait for the same response."""
    provider = Listing(Reply(200))
    checks = Checks({"x": provider}, {})
    first, second = await asyncio.gather(checks.results(), checks.results())
    assert first == second == {"x": Check(Status.OK, "answers, and lists no models")}
    assert provider.calls == 1


async def test_unexpected_failure_is_named_without_its_text() -> None:
    """The text of an exception may quote a key."""
    checks = Checks({"x": Listing(ValueError(SECRET))}, {})
    found = (await checks.results())["x"]
    assert (found.status, found.detail) == (Status.FAILED, "it cannot be checked (ValueError)")


async def test_close_stops_asking(provider: Upstream, serve: Serve) -> None:
    """A provider that never answers does not keep the server from stopping."""
    provider.answer(before_head=(Act.STALL,))
    await serve(provider, TOKENWIRE_CHECK_PROVIDERS="true")
    await provider.arrived.wait()


@pytest.mark.parametrize(
    ("models", "role", "chosen"),
    [
        (MODELS, Role(), "gpt-5-mini"),
        (MODELS, Role(prefers=("gpt-*-mini",)), "gpt-10-mini"),
        (MODELS, Role(prefers=("claude-*", "gpt-5*")), "gpt-5.1"),
        (MODELS, Role(models=("mine",)), "mine"),
        (["tts-1", "e\x1b[31mvil", "x" * 129], Role(), ""),
        ([], Role(prefers=("*",)), ""),
    ],
)
def test_choice_of_a_model(models: list[str], role: Role, chosen: str) -> None:
    """Configured, else preferred in its highest version, else the first; only plain names."""
    assert best(models, role) == chosen


GOOD = Check(Status.OK, "", ("m",))
BAD = Check(Status.REFUSED, "")
AMBIENT, STAND_IN = Role(is_ambient=True), Role(is_stand_in=True)


@pytest.mark.parametrize(
    ("checks", "roles", "chosen"),
    [
        ([BAD, GOOD, GOOD], [Role(), Role(), STAND_IN], "1/m"),
        ([BAD, GOOD], [Role(), STAND_IN], ""),
        ([BAD, GOOD], [AMBIENT, STAND_IN], "1/m"),
        ([Check(Status.UNKNOWN, ""), GOOD], [AMBIENT, STAND_IN], ""),
        ([GOOD, GOOD], [AMBIENT, STAND_IN], "0/m"),
        ([BAD], [AMBIENT], ""),
    ],
)
def test_stand_in_is_the_last_choice(checks: list[Check], roles: list[Role], chosen: str) -> None:
    """It is used only if no real provider is configured, and none that happens to be on works."""
    found = {str(number): check for number, check in enumerate(checks)}
    assert default_of(found, {str(n): role for n, role in enumerate(roles)}) == chosen


async def test_ambient_credentials_do_not_replace_the_demo(
    serve: Serve, aws: MutableMapping[str, str], tmp_path: Path
) -> None:
    """AWS variables are there for many reasons: if Bedrock refuses them, the first page works."""
    del aws["AWS_ACCESS_KEY_ID"], aws["AWS_SECRET_ACCESS_KEY"]
    aws["AWS_SHARED_CREDENTIALS_FILE"] = str(tmp_path / "none")
    found = {"AWS_REGION": "eu-west-1", "AWS_PROFILE": "x", "TOKENWIRE_DEFAULT_MODEL": ""}
    client = await serve(**found)
    response = await client.post("/api/stream", json={"message": "x /fast"})
    assert read(response.content)[0][1]["model"] == "demo/markdown"
    listing = (await client.get("/v1/models")).json()
    assert listing["default"] == "demo/markdown"
    assert listing["providers"]["bedrock"]["status"] == "no_key"


def refused(kind: str) -> dict[str, Any]:
    """How AWS refuses a request."""
    return {"status": 403, "headers": {"x-amzn-errortype": kind}}


BEDROCK_LIST = {
    "modelSummaries": [
        {"modelId": "anthropic.claude-haiku-4-5", "inferenceTypesSupported": ["ON_DEMAND"]},
        {"modelId": "meta.llama", "inferenceTypesSupported": ["INFERENCE_PROFILE"]},
        {"modelId": "amazon.nova-lite-v1:0", "responseStreamingSupported": False},
        "no model",
    ]
}


@pytest.mark.parametrize(
    ("body", "how", "status", "default"),
    [
        (BEDROCK_LIST, {}, "ok", "bedrock/anthropic.claude-haiku-4-5"),
        ([], {}, "ok", ""),
        ({}, {"status": 403, "headers": {"x-amzn-errortype": "AccessDeniedException:"}}, "ok", ""),
        (
            {},
            {"status": 403, "headers": {"x-amzn-errortype": "ExpiredTokenException"}},
            "refused",
            "",
        ),
    ],
)
async def test_bedrock_is_asked_with_a_signature(
    provider: Upstream,
    serve: Serve,
    aws: MutableMapping[str, str],
    body: object,
    how: dict[str, Any],
    status: str,
    default: str,
) -> None:
    """A role that may not list models is no failure; refused credentials are."""
    provider.answer(json.dumps(body).encode(), **how)
    url = provider.base_url.removesuffix("/v1")
    client = await serve(
        AWS_REGION="eu-west-1",
        AWS_PROFILE="x",
        AWS_ENDPOINT_URL_BEDROCK=url,
        TOKENWIRE_DEFAULT_MODEL="",
        TOKENWIRE_DEMO="false",
    )
    listing = (await client.get("/v1/models")).json()
    assert (listing["providers"]["bedrock"]["status"], listing["default"]) == (status, default)
    request = provider.requests[0]
    assert (request.method, request.path) == ("GET", "/foundation-models?byOutputModality=TEXT")
    assert "/eu-west-1/bedrock/aws4_request" in request.headers["authorization"]
