"""The pages, the probes, CORS, and what a server says of itself."""

from __future__ import annotations

import socket

import pytest

from tests.conftest import Serve
from tests.fakes.upstream import Upstream, complete

APP = "https://app.test"


@pytest.mark.parametrize(
    ("path", "media"),
    [
        ("/", "text/html"),
        ("/docs", "text/html"),
        ("/app.js", "text/javascript"),
        ("/tokenwire.js", "text/javascript"),
        ("/tokenwire.d.ts", "text/plain"),
        ("/style.css", "text/css"),
        ("/favicon.svg", "image/svg+xml"),
    ],
)
async def test_files_are_ours_alone(path: str, media: str, serve: Serve) -> None:
    """Each file has a strict content policy, and is a 304 when it is unchanged."""
    client = await serve()
    found = await client.get(path)
    assert found.status_code == 200
    assert found.headers["content-type"].startswith(media)
    policy = found.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert found.headers["x-content-type-options"] == "nosniff"
    again = await client.get(path, headers={"if-none-match": found.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await client.head(path)
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_page_says_that_it_is_behind_cloudfront(path: str, serve: Serve) -> None:
    """A page that CloudFront requested has its mark, and an entity tag of its own."""
    client = await serve()
    direct = await client.get(path)
    through = await client.get(path, headers={"x-amz-cf-id": "of-this-request"})
    mark = '<meta name="tokenwire-front" content="{}">'
    assert mark.format("direct") in direct.text
    assert through.text == direct.text.replace(mark.format("direct"), mark.format("cloudfront"))
    assert through.headers["etag"] != direct.headers["etag"]


async def test_nothing_else_is_served(serve: Serve) -> None:
    """Only listed files are served: no directory, no source, no parent directory."""
    client = await serve()
    for path in ("/index.html", "/__init__.py", "/../settings.py", "/web/app.js"):
        assert (await client.get(path)).status_code == 404, path


async def test_errors_speak_the_route_s_dialect(serve: Serve) -> None:
    """The error of a wrong path or method is in the dialect of that path."""
    client = await serve()
    chat = await client.get("/v1/chat/completions")
    typed = await client.delete("/api/stream")
    assert (chat.status_code, chat.json()["error"]["code"]) == (405, "bad_method")
    assert (typed.status_code, typed.json()["type"]) == (405, "error")
    long = await client.get("/api/stream", params={"prompt": "x", "model": "m" * 300})
    assert (long.status_code, long.json()["param"]) == (400, "model")


async def test_probes(provider: Upstream, serve: Serve) -> None:
    """The probes answer 200; readiness lists the providers."""
    provider.answer(*complete("x"))
    client = await serve(provider)
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    not_asked = {"status": "unknown", "detail": "not checked yet", "models": 0}
    assert (await client.get("/readyz")).json() == {
        "status": "ok",
        "providers": {"openai": "chat", "demo": "chat"},
        "checks": {"openai": not_asked, "demo": not_asked},
        "default_model": "demo/markdown",
        "off": {
            "anthropic": "ANTHROPIC_API_KEY is not set",
            "gemini": "GEMINI_API_KEY is not set",
            "bedrock": "no AWS credentials and region are found",
        },
    }


async def test_reference_lists_every_route(serve: Serve) -> None:
    """OpenAPI has the public routes, with bodies and examples."""
    client = await serve(TOKENWIRE_DEMO_PACE="1000")
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert set(paths) == {
        "/v1/chat/completions",
        "/v1/models",
        "/v1/models/{model}",
        "/v1/messages",
        "/v1/responses",
        "/v1/responses/{response_id}",
        "/v1/responses/{response_id}/cancel",
        "/v1/responses/{response_id}/input_items",
        "/api/chat",
        "/api/chat/{chat_id}/stream",
        "/api/chat/{chat_id}/stop",
        "/api/stream",
        "/v1/streams",
        "/v1/streams/{stream_id}",
        "/v1/streams/{stream_id}/ticket",
        "/v1/streams/{stream_id}/cancel",
        "/v1/streams/{stream_id}/viewers/{viewer}",
        "/v1/streams/{stream_id}/viewers/{viewer}/leave",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    for path in ("/api/stream", "/v1/messages", "/v1/responses", "/api/chat"):
        body = paths[path]["post"]["requestBody"]["content"]["application/json"]
        assert (await client.post(path, json=body["example"])).status_code == 200, path


async def test_allowed_origin_may_call(serve: Serve) -> None:
    """The allow-list decides; ids are readable, and a cursor may be sent."""
    client = await serve(TOKENWIRE_CORS_ORIGINS=APP)
    preflight = await client.options(
        "/api/stream",
        headers={
            "origin": APP,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,authorization,last-event-id",
        },
    )
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == APP
    answer = await client.post("/api/stream", json={"message": "hi /fast"}, headers={"origin": APP})
    assert answer.headers["access-control-allow-origin"] == APP
    assert "X-Stream-Id" in answer.headers["access-control-expose-headers"]


async def test_other_origins_may_not(serve: Serve) -> None:
    """A page from elsewhere gets no CORS header, and on a server without keys no answer."""
    client = await serve(TOKENWIRE_CORS_ORIGINS=APP)
    other = await client.post(
        "/api/stream", json={"message": "hi"}, headers={"origin": "https://evil.test"}
    )
    assert other.status_code == 403
    assert "access-control-allow-origin" not in other.headers


async def test_hung_connect_has_its_code(serve: Serve) -> None:
    """A provider whose host takes no connection is a timeout of its own."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        client = await serve(
            OPENAI_API_KEY="sk-x",
            OPENAI_BASE_URL=f"http://127.0.0.1:{port}/v1",
            TOKENWIRE_TIMEOUT_CONNECT="0.2",
            TOKENWIRE_CONFIG="tests/http/no_retries.toml",
        )
        response = await client.post(
            "/v1/chat/completions",
            json={"model": "openai/m", "messages": [{"role": "user", "content": "x"}]},
        )
        for one in waiting:
            one.close()
    assert (response.status_code, response.json()["error"]["code"]) == (504, "timeout_connect")
