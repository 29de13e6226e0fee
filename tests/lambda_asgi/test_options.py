"""The options that Mangum has: a base path, text types, excluded headers; in both modes."""

from __future__ import annotations

import json
from base64 import b64decode
from contextlib import closing
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lambda_asgi import Context, Handler
from tests.lambda_asgi.test_runtime import ALB, REST, URL, V2, running

DOORS = {"url": URL, "http api": V2, "rest": REST, "alb": ALB}
CONTEXT = Context("req-1", 0)


async def users(request: Request) -> Response:
    """The URL of this route as the framework makes it, and what the scope holds."""
    scope = request.scope
    return JSONResponse([str(request.url_for("users")), scope["root_path"], scope["path"]])


async def odd(request: Request) -> Response:
    """A type of text that is not known as one, with headers and a cookie."""
    response = Response("\u00fc", headers={"X-Powered-By": "x", "x-kept": "y"})
    response.headers["content-type"] = "application/x-yaml"
    response.set_cookie("a", "1")
    return response


APP = Starlette(routes=[Route("/users", users, name="users"), Route("/odd", odd)])


def at(event: dict[str, Any], path: str) -> dict[str, Any]:
    """A front door's GET of a path."""
    if "http" in event["requestContext"]:
        http = {**event["requestContext"]["http"], "path": path, "method": "GET"}
        context = {**event["requestContext"], "http": http}
        return {**event, "rawPath": path, "requestContext": context, "body": ""}
    return {**event, "path": path, "httpMethod": "GET", "body": ""}


def buffered(event: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The payload that the stock runtime gets."""
    with closing(Handler(APP, environ={}, **options)) as handler:
        payload: dict[str, Any] = handler(event, CONTEXT)
    return payload


async def streamed(event: dict[str, Any], **options: Any) -> tuple[Any, bytes]:
    """The prelude and the body that the runtime loop sends."""
    async with running(Handler(APP, stream_rest=True, environ={}, **options)) as api:
        got = await api.invoke(event).finished()
    return got.prelude, got.payload


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("base", ["v1", "/v1", "/v1/"])
def test_base_path_is_the_root_path(door: str, base: str) -> None:
    """Routes match below it, and the URLs that the framework makes contain it."""
    payload = buffered(at(DOORS[door], "/v1/users"), api_gateway_base_path=base)
    url, root, path = json.loads(payload["body"])
    assert url.endswith("/v1/users")
    assert (root, path) == ("/v1", "/v1/users")


@pytest.mark.parametrize("door", ["url", "rest"])
async def test_base_path_holds_for_streams(door: str) -> None:
    """The same scope."""
    _, body = await streamed(at(DOORS[door], "/v1/users"), api_gateway_base_path="v1")
    assert json.loads(body)[1:] == ["/v1", "/v1/users"]


@pytest.mark.parametrize(
    ("base", "path", "status"),
    [
        ("/v1", "/users", 200),
        ("/v1", "/v1users", 404),
        ("/v1", "/v1", 404),
        ("/", "/users", 200),
        ("", "/users", 200),
    ],
)
def test_base_path_is_a_whole_segment(base: str, path: str, status: int) -> None:
    """``/v1users`` is not below ``/v1``; a request outside the base path is served as it is."""
    assert buffered(at(V2, path), api_gateway_base_path=base)["statusCode"] == status


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("types", "is_base64"), [(None, True), (["x-yaml"], False), (["text/"], True), ([], True)]
)
def test_text_types_are_sent_as_text(
    door: str, types: list[str] | None, *, is_base64: bool
) -> None:
    """A buffered body of a type that is named goes out as text; others as base64."""
    payload = buffered(at(DOORS[door], "/odd"), text_mime_types=types)
    body = payload["body"].encode()
    assert payload["isBase64Encoded"] is is_base64
    assert (b64decode(body) if is_base64 else body).decode() == "\u00fc"


@pytest.mark.parametrize("types", [None, ["x-yaml"]])
async def test_streams_are_never_base64(types: list[str] | None) -> None:
    """A streamed body is bytes, whatever its type."""
    _, body = await streamed(at(URL, "/odd"), text_mime_types=types)
    assert body.decode() == "\u00fc"


@pytest.mark.parametrize("door", DOORS)
def test_excluded_headers_are_not_sent(door: str) -> None:
    """Named in any case; cookies too."""
    payload = buffered(at(DOORS[door], "/odd"), exclude_headers=["x-POWERED-by", "Set-Cookie"])
    named = {**(payload.get("headers") or {}), **(payload.get("multiValueHeaders") or {})}
    assert sorted(name.lower() for name in named) == ["content-length", "content-type", "x-kept"]
    assert not payload.get("cookies")


@pytest.mark.parametrize("door", ["url", "rest"])
async def test_excluded_headers_are_not_streamed(door: str) -> None:
    """The prelude leaves them out."""
    event = at(DOORS[door], "/odd")
    prelude, _ = await streamed(event, exclude_headers=["x-POWERED-by", "Set-Cookie"])
    assert sorted(prelude["headers"]) == ["content-type", "x-kept"]
    assert prelude["cookies"] == []
    unfiltered, _ = await streamed(event)
    assert sorted(unfiltered["headers"]) == ["content-type", "x-kept", "x-powered-by"]
    assert len(unfiltered["cookies"]) == 1
