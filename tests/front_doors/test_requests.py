"""Requests that are no stream, and refusals, are the same through every front door."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.fakes.upstream import Upstream, complete
from tests.front_doors.conftest import APP
from tests.http.reading import text_of

pytestmark = [
    pytest.mark.outside,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.xdist_group("front doors"),
]

CHAT = "/v1/chat/completions"
ASK = {"model": "openai/gpt-x", "messages": [{"role": "user", "content": "Hi"}]}


async def test_answer_in_one_object(provider: Upstream, client: httpx2.AsyncClient) -> None:
    """Without ``stream`` the answer is one JSON object."""
    provider.answer(*complete("Hel", "lö"))
    response = await client.post(CHAT, json=ASK)
    assert response.headers["content-type"] == "application/json"
    assert response.json()["choices"][0]["message"]["content"] == "Hellö"
    assert response.json()["usage"]["total_tokens"] == 5


async def test_body_reaches_the_provider(provider: Upstream, client: httpx2.AsyncClient) -> None:
    """A body in pieces, with characters of every length, arrives as it was sent."""
    provider.answer(*complete("ok"))
    body = {**ASK, "messages": [{"role": "user", "content": "aä€😀" * 10_000}], "stream": True}
    content = json.dumps(body, ensure_ascii=False).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(content), 9_999):
            yield content[at : at + 9_999]

    response = await client.post(CHAT, content=pieces())

    assert response.status_code == 200
    assert provider.requests[0].json["messages"] == body["messages"]


async def test_query_reaches_the_provider(provider: Upstream, client: httpx2.AsyncClient) -> None:
    """What is percent-encoded in the query arrives decoded, once."""
    provider.answer(*complete("ok"))
    prompt = "ä €+&=%20 😀"
    response = await client.get("/api/stream", params={"prompt": prompt})
    assert text_of(response.content) == "ok"
    assert provider.requests[0].json["messages"] == [{"role": "user", "content": prompt}]


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"{", 400, "invalid_json"),
        (b"\xff", 400, "invalid_json"),
        (b"", 400, "invalid_json"),
        (b" " * 300_001, 413, "request_too_large"),
    ],
)
async def test_bad_body_is_refused(
    content: bytes, status: int, code: str, client: httpx2.AsyncClient
) -> None:
    """A body that is not JSON, or too large, is an error of the caller's dialect."""
    response = await client.post(CHAT, content=content)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


async def test_bad_field_is_named(client: httpx2.AsyncClient) -> None:
    """An error in the request has the status, the code and the field."""
    response = await client.post(CHAT, json={**ASK, "n": 0})
    error = response.json()["error"]
    assert (response.status_code, error["code"], error["param"]) == (400, "invalid_value", "n")


async def test_provider_s_refusal_keeps_its_headers(
    provider: Upstream, client: httpx2.AsyncClient
) -> None:
    """A status of the provider becomes ours, with Retry-After."""
    provider.answer(b"{}", status=429, headers={"retry-after": "7"})
    response = await client.post(CHAT, json={**ASK, "stream": True})
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")
    assert response.json()["error"]["code"] == "upstream_rate_limited"


async def test_stranger_is_refused(provider: Upstream, guarded_url: str) -> None:
    """Without a key, or with a wrong one, every dialect says 401."""
    async with httpx2.AsyncClient(
        base_url=guarded_url, timeout=20, trust_env=False, verify=False
    ) as stranger:
        for headers in ({}, {"authorization": "Bearer wrong-key-of-tests"}, {"x-api-key": "x"}):
            for path in (CHAT, "/v1/messages", "/v1/responses", "/api/chat", "/api/stream"):
                response = await stranger.post(path, json=ASK, headers=headers)
                assert response.status_code == 401, path
    assert provider.requests == []


@pytest.mark.parametrize("path", ["/", "/docs", "/app.js", "/tokenwire.js", "/style.css"])
async def test_page_is_served(path: str, client: httpx2.AsyncClient) -> None:
    """A file comes with its policy; unchanged, or to HEAD, without a body."""
    found = await client.get(path)
    assert found.status_code == 200
    assert "default-src 'none'" in found.headers["content-security-policy"]
    assert found.headers["x-content-type-options"] == "nosniff"
    again = await client.get(path, headers={"if-none-match": found.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == found.headers["content-type"]


async def test_wrong_paths_and_methods(client: httpx2.AsyncClient) -> None:
    """The error has the form of that path's API; ``Allow`` lists the methods."""
    chat, typed = await client.get(CHAT), await client.delete("/api/stream")
    assert (chat.status_code, chat.headers["allow"]) == (405, "POST")
    assert chat.json()["error"]["code"] == "bad_method"
    assert (typed.status_code, typed.json()["type"]) == (405, "error")
    assert (await client.get("/nowhere")).status_code == 404
    assert (await client.get("/v1/streams/st_none")).status_code == 404


async def test_other_origins(client: httpx2.AsyncClient) -> None:
    """An allowed origin gets its preflight and its headers; another gets neither."""
    asks = {"origin": APP, "access-control-request-method": "POST"}
    preflight = await client.options("/api/stream", headers=asks)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == APP
    other = {"origin": "https://evil.example"}
    refused = await client.post("/api/stream", json={"message": "x"}, headers=other)
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers


async def test_request_id_is_kept(client: httpx2.AsyncClient) -> None:
    """The caller's own id comes back; a malformed one is replaced."""
    for given, kept in (("mine-12345", True), ("bad id!", False)):
        response = await client.get("/healthz", headers={"x-request-id": given})
        assert response.json() == {"status": "ok"}
        assert (response.headers["x-request-id"] == given) is kept
