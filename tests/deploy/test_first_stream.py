"""The first stream through the new URL, and the message if there is none."""

from __future__ import annotations

import asyncio

import httpx2
import pytest
from botocore.credentials import Credentials

from scripts.deploy.errors import DeployError
from scripts.deploy.first_stream import Url, signer
from tests.conftest import Serve
from tests.fakes.upstream import DONE, ROLE, STOP, Upstream, text

KEY = "key-of-the-callers-here"
SETTINGS = {"TOKENWIRE_API_KEYS": KEY, "TOKENWIRE_CONFIG": "tests/e2e/one_model.toml"}


async def answer(base_url: object, key: str, model: str = "") -> tuple[str, str]:
    """Return the model and its answer, read as the command reads them: without an event loop."""

    def read() -> tuple[str, str]:
        with Url(str(base_url), key) as url:
            chosen = model or url.model()
            return chosen, "".join(url.stream(chosen))

    return await asyncio.to_thread(read)


async def test_answer_is_streamed(provider: Upstream, serve: Serve) -> None:
    """Deltas are joined; a real model is chosen, never the demo."""
    provider.answer(ROLE, text("Hel"), text("lo."), STOP, DONE)
    client = await serve(provider, **SETTINGS)
    model, received = await answer(client.base_url, KEY)
    assert model.startswith("openai/")
    assert received == "Hello."


async def test_refused_key_is_reported(provider: Upstream, serve: Serve) -> None:
    """The server's own message is displayed."""
    client = await serve(provider, **SETTINGS)
    with pytest.raises(DeployError, match="answers 401: The API key is not valid"):
        await answer(client.base_url, "a-key-of-someone-else", "openai/gpt-x")


async def test_failure_of_the_provider_is_reported(provider: Upstream, serve: Serve) -> None:
    """An error in mid-stream has its code."""
    provider.answer(ROLE, text("Hel"), b'data: {"error":{"type":"overloaded_error"}}\n\n')
    client = await serve(provider, **SETTINGS)
    with pytest.raises(DeployError, match="openai/gpt-x failed: upstream_"):
        await answer(client.base_url, KEY, "openai/gpt-x")


async def test_without_a_real_model_it_says_so(serve: Serve) -> None:
    """The demo is no model to end with."""
    client = await serve(TOKENWIRE_API_KEYS=KEY)
    with pytest.raises(DeployError, match="no real model is on"):
        await answer(client.base_url, KEY)


def test_url_that_does_not_answer_is_named() -> None:
    """A connection that fails is no traceback."""
    refused = pytest.raises(DeployError, match="does not answer: ConnectError")
    with refused, Url("http://127.0.0.1:1", KEY) as url:
        url.model()


def test_requests_are_signed_where_iam_guards_the_url() -> None:
    """The signature covers the body; the key stays in its own header."""
    request = httpx2.Request("POST", "https://x.lambda-url.us-east-1.on.aws/api", json={"a": 1})
    request.headers["x-api-key"] = KEY
    signer(Credentials("AKIDEXAMPLE", "secret", "session"), "us-east-1")(request)
    signature = request.headers["authorization"]
    assert signature.startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert "/us-east-1/lambda/aws4_request" in signature
    assert request.headers["x-amz-security-token"] == "session"
    assert request.headers["x-api-key"] == KEY
