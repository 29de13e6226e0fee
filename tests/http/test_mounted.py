"""An app that is mounted under a prefix of another one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from fastapi import FastAPI

from tests.fakes.server import NOWHERE
from tests.http.reading import text_of
from tokenwire.app import create_app
from tokenwire.secrets import Secrets
from tokenwire.settings import load


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    """A client of an app that has tokenwire under ``/llm``."""
    inner = create_app(load({"TOKENWIRE_DEMO_PACE": "10000"}, NOWHERE), Secrets({}))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with inner.router.lifespan_context(inner):
            yield

    outer = FastAPI(lifespan=lifespan)
    outer.mount("/llm", inner)
    transport = httpx2.ASGITransport(outer, client=("127.0.0.1", 1))
    url = "http://127.0.0.1"
    async with (
        outer.router.lifespan_context(outer),
        httpx2.AsyncClient(transport=transport, base_url=url) as found,
    ):
        yield found


async def test_errors_are_in_the_dialect_of_the_route(client: httpx2.AsyncClient) -> None:
    """The prefix is no part of the path that decides the dialect, nor of a 405's methods."""
    refused = await client.post("/llm/v1/messages", json={})
    assert refused.json()["error"]["type"] == "invalid_request_error"
    wrong = await client.get("/llm/v1/chat/completions")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "POST")
    assert wrong.json()["error"]["code"] == "bad_method"


async def test_files_are_served(client: httpx2.AsyncClient) -> None:
    """``tokenwire.js`` can be imported from below the prefix."""
    found = await client.get("/llm/tokenwire.js")
    assert (found.status_code, found.headers["content-type"][:15]) == (200, "text/javascript")


async def test_urls_of_streams_have_the_prefix(client: httpx2.AsyncClient) -> None:
    """The URL that started or shared a stream can be opened as it is."""
    started = (await client.post("/llm/v1/streams", json={"message": "/echo hi"})).json()
    assert started["url"].startswith(f"/llm/v1/streams/{started['id']}?ticket=")
    assert text_of((await client.get(started["url"])).content)
    shared = (await client.post(f"/llm/v1/streams/{started['id']}/ticket")).json()
    assert (await client.get(shared["url"])).status_code == 200
