"""A dialect of another package, through the public HTTP API, without a change inside tokenwire."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from tests.conftest import Serve
from tests.fakes.plugins import installed, package
from tests.fakes.upstream import Upstream, complete
from tests.streams.test_parts import stream_of
from tokenwire.dialects import registry
from tokenwire.dialects.registry import DIALECTS
from tokenwire.errors import ProxyError
from tokenwire.gateway.translation import decoder_of
from tokenwire.plugins import published
from tokenwire.sse import Parser

ASK = {"question": "Why?", "model": "openai/m"}
OVER = {"over": True}


@pytest.fixture
def toy(tmp_path: Path) -> Iterator[None]:
    """The toy as an installed package with an entry point."""
    point = {"toy": "tests.plugins.toy_dialect:DIALECT"}
    package(tmp_path, "toy", {"tokenwire.dialects": point}, {})
    with installed(tmp_path):
        yield


def events(body: bytes) -> list[dict[str, Any]]:
    """The JSON objects of a body's events."""
    return [json.loads(event.data) for event in Parser().feed(body)]


async def test_answer_is_one_object(toy: None, provider: Upstream, serve: Serve) -> None:
    """A POST to the dialect's own path reaches the provider as a chat and is answered in it."""
    provider.answer(*complete("Because."))
    client = await serve(provider)
    response = await client.post("/v1/toy", json=ASK)
    assert (response.status_code, response.json()) == (200, {"answer": "Because."})
    (message,) = provider.requests[0].json["messages"]
    assert message == {"role": "user", "content": "Why?"}


async def test_name_of_a_model_is_bounded(toy: None, serve: Serve) -> None:
    """A model's name of more than 256 characters is refused in a dialect of another package too."""
    client = await serve()
    response = await client.post("/v1/toy", json={**ASK, "model": "m" * 257})
    assert response.status_code == 400
    assert response.json() == {"failed": "invalid_value", "field": "model"}


async def test_answer_is_streamed(toy: None, provider: Upstream, serve: Serve) -> None:
    """With ``stream`` the events are the dialect's, with its headers and with ids."""
    provider.answer(*complete("Be", "cause."))
    client = await serve(provider)
    response = await client.post("/v1/toy", json={**ASK, "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["x-toy"] == "1"
    assert events(response.content) == [{"text": "Be"}, {"text": "cause."}, OVER]
    assert response.content.count(b"id: 1-") == 3


async def test_any_stream_is_watched_and_resumed(
    toy: None, provider: Upstream, serve: Serve
) -> None:
    """``?format=`` takes the dialect's name; a stream that it started is read in another one."""
    provider.answer(*complete("Be", "cause."))
    client = await serve(provider)
    posted = await client.post("/v1/toy", json={**ASK, "stream": True})
    url = f"/v1/streams/{posted.headers['x-stream-id']}"
    watched = await client.get(url, params={"format": "toy"})
    assert watched.content == b"retry: 1000\n" + posted.content
    first = posted.text.partition("\n")[0].removeprefix("id: ")
    rest = await client.get(url, params={"format": "toy"}, headers={"last-event-id": first})
    assert events(rest.content) == [{"text": "cause."}, OVER]
    chat = await client.get(url, params={"format": "chat"})
    assert b'"content":"cause."' in chat.content
    unknown = await client.get(url, params={"format": "toys"})
    assert unknown.json()["message"].endswith("ui, toy.")


async def test_errors_have_the_shape_of_the_dialect(
    toy: None, provider: Upstream, serve: Serve
) -> None:
    """A malformed field, a wrong method, a provider that refuses: each in the dialect's JSON."""
    client = await serve(provider)
    malformed = await client.post("/v1/toy", json={"question": ""})
    assert malformed.status_code == 400
    assert malformed.json()["field"] == "question"
    assert (await client.get("/v1/toy")).json()["failed"] == "bad_method"
    nowhere = await client.post("/v1/toy", json={**ASK, "model": "unknown/m"})
    assert (nowhere.status_code, nowhere.json()["failed"]) == (404, "model_not_found")


@pytest.mark.slow
async def test_reference_describes_the_dialect(toy: None, serve: Serve) -> None:
    """The document stays valid and has the path, the body, the answer and the error."""
    client = await serve(None)
    document = (await client.get("/openapi.json")).json()
    validate(document)
    operation = document["paths"]["/v1/toy"]["post"]
    assert operation["summary"] == "Ask a question"
    schemas = document["components"]["schemas"]
    assert schemas["Question"]["required"] == ["question"]
    assert {"ToyAnswer", "ToyError"} <= set(schemas)
    error = operation["responses"]["400"]["content"]["application/json"]["schema"]
    assert error == {"$ref": "#/components/schemas/ToyError"}


@pytest.mark.parametrize(
    ("name", "source", "problem"),
    [
        ("other", "DIALECT = toy.DIALECT", "its Dialect has another name, toy; publish it as that"),
        (
            "toy",
            "DIALECT = at('toy')",
            "its path toy does not begin with /",
        ),
        (
            "toy",
            "DIALECT = at('/v1/messages')",
            "its path /v1/messages is also that of messages; choose another",
        ),
    ],
    ids=["name", "relative path", "taken path"],
)
def test_dialect_that_cannot_be_added(tmp_path: Path, name: str, source: str, problem: str) -> None:
    """The server does not start, and says which dialect is wrong and how to mend it."""
    head = (
        "from tests.plugins import toy_dialect as toy\nfrom tests.plugins.toy_dialect import at\n"
    )
    points = {"tokenwire.dialects": {name: "bad_toy:DIALECT"}}
    package(tmp_path, "toy", points, {"bad_toy": head + source})
    with installed(tmp_path), pytest.raises(ProxyError) as caught:
        registry.load_dialects(published())
    assert caught.value.message == (
        f"Bad setting: dialect {name} (tokenwire.dialects) cannot be used: {problem}."
    )


def test_a_dialect_may_have_no_endpoint(tmp_path: Path) -> None:
    """It is then only a ``?format=``; errors on paths of no dialect are typed events."""
    head = "from dataclasses import replace\nfrom tests.plugins import toy_dialect as toy\n"
    source = head + "DIALECT = replace(toy.DIALECT, endpoint=None)"
    points = {"tokenwire.dialects": {"toy": "bare_toy:DIALECT"}}
    package(tmp_path, "toy", points, {"bare_toy": source})
    with installed(tmp_path):
        found = registry.load_dialects(published())
    assert list(found) == [*DIALECTS, "toy"]
    assert registry.dialect_of(found, "/v1/toy").name == "events"
    assert registry.dialect_of(found, "/v1/chat/completions").name == "chat"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("endpoint", "paths"),
    [("None", set()), ("Endpoint('/v1/toy', 'Ask', 'Toy', Body('Anything'))", {"/v1/toy"})],
    ids=["none", "smallest"],
)
async def test_reference_of_a_small_dialect(
    tmp_path: Path, serve: Serve, endpoint: str, paths: set[str]
) -> None:
    """The document is valid with a dialect that says little or nothing of its endpoint."""
    head = (
        "from dataclasses import replace\nfrom tests.plugins import toy_dialect as toy\n"
        "from tokenwire.dialects.endpoint import Body, Endpoint\n"
    )
    source = f"{head}DIALECT = replace(toy.DIALECT, endpoint={endpoint})"
    points = {"tokenwire.dialects": {"toy": "small_toy:DIALECT"}}
    package(tmp_path, "toy", points, {"small_toy": source})
    with installed(tmp_path):
        document = (await (await serve(None)).get("/openapi.json")).json()
    validate(document)
    assert {path for path in document["paths"] if "toy" in path} == paths
    watch = document["paths"]["/v1/streams/{stream_id}"]["get"]["responses"]["200"]
    assert "ui, toy." in watch["content"]["text/event-stream"]["schema"]["description"]


def test_stream_in_a_dialect_that_is_not_here() -> None:
    """Another process, with a plugin that this one lacks, has written the stream: a plain 503."""
    with pytest.raises(ProxyError) as caught:
        decoder_of({}, stream_of("chat"))
    assert (caught.value.status, caught.value.code) == (503, "unknown_dialect")
