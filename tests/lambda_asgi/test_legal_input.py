"""Requests and answers that are legal and odd, through every front door."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambda_asgi import Handler
from lambda_asgi.types import Receive, Scope, Send
from tests.lambda_asgi.test_runtime import ALB, REST, URL, V2, body, running, start

DOORS = {"url": URL, "http api": V2, "rest": REST, "alb": ALB}


def event_of(event: dict[str, Any], **headers: str) -> dict[str, Any]:
    """A front door's event with these headers, in each form that it has headers in."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    found = {**event}
    for field in ("headers", "multiValueHeaders"):
        if field in event:
            others = {k: v for k, v in event[field].items() if k.lower() not in named}
            is_list = field == "multiValueHeaders"
            found[field] = others | {k: [v] if is_list else v for k, v in named.items()}
    return found


async def seen(event: dict[str, Any]) -> Scope:
    """The scope that the app gets; the answer must be the app's."""
    scopes: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        scopes.append(scope)
        await send(start(200, (b"content-type", b"text/plain")))
        await send(body(b"fine"))

    async with running(Handler(app, environ={})) as api:
        got = await api.invoke(event).finished()
    assert got.path == "response"
    assert b"fine" in got.body
    (scope,) = scopes
    return scope


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("host", "forwarded", "server"),
    [
        ("example.com", "443", ("example.com", 443)),
        ("example.com:8443", "443", ("example.com", 8443)),
        ("[::1]:9000", "443", ("::1", 9000)),
        ("[::1]", "444", ("::1", 444)),
        ("a:b", "443", ("a", 443)),
        ("a:b:c", "443", ("a", 443)),
        ("a:", "443", ("a", 443)),
        ("a:65536", "443", ("a", 443)),
        ("a:\N{SUPERSCRIPT TWO}", "443", ("a", 443)),
        ("a", "80, 443", ("a", 443)),
        ("a", "9" * 5000, ("a", 443)),
        ("[:::]", "443", ("localhost", 443)),
        ("[:::]:8443", "443", ("localhost", 8443)),
        ("[", "443", ("localhost", 443)),
        ("[a\0]", "443", ("localhost", 443)),
        ("a b", "443", ("localhost", 443)),
        ("a/b", "443", ("localhost", 443)),
    ],
)
async def test_any_host_is_served(
    door: str, host: str, forwarded: str, server: tuple[str, int]
) -> None:
    """Whatever ``Host`` a client sends, the app gets the request, and the header as it was."""
    event = event_of(DOORS[door], host=host, x_forwarded_port=forwarded, x_forwarded_proto="https")
    scope = await seen(event)
    assert scope["server"] == server
    found = [bytes(value).decode() for name, value in scope["headers"] if name == b"host"]
    assert found == [host]
    ports = [bytes(v).decode() for name, v in scope["headers"] if name == b"x-forwarded-port"]
    assert ports == [forwarded]
    assert scope["aws.event"] == event


@pytest.mark.parametrize(("proto", "port"), [("http", 80), ("https", 443)])
async def test_request_without_a_host_has_the_scheme_s_port(proto: str, port: int) -> None:
    """HTTP/1.0 behind a load balancer."""
    event = event_of(ALB, x_forwarded_proto=proto)
    for field in {"headers", "multiValueHeaders"} & event.keys():
        for name in ("host", "x-forwarded-port"):
            event[field].pop(name, None)
    assert (await seen(event))["server"] == ("localhost", port)


@pytest.mark.parametrize("door", ["http api", "rest", "alb"])
async def test_latin_1_header_is_answered(door: str) -> None:
    """A header value that is not UTF-8 goes out as its characters, buffered as streamed."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await send(start(200, (b"x-name", "caf\xe9".encode("latin-1"))))
        await send(body(b"fine"))

    async with running(app) as api:
        got = await api.invoke(DOORS[door]).finished()
        streamed = await api.invoke(URL).finished()
    assert got.path == "response"
    answer = json.loads(got.body)
    held = {**(answer.get("multiValueHeaders") or {}), **(answer.get("headers") or {})}
    assert held["x-name"] in ("caf\xe9", ["caf\xe9"])
    assert streamed.prelude["headers"]["x-name"] == "caf\xe9"
