"""A function URL's own CORS, as ``FunctionUrlConfig.Cors`` sets it."""

from __future__ import annotations

import pytest

from lambda_asgi.local.cors import Cors
from tests.lambda_asgi.raw import raw_client

pytestmark = pytest.mark.outside

CORS = Cors(
    origins=("https://a.example",),
    methods=("GET", "POST"),
    headers=("x-one", "x-two"),
    exposed=("x-three",),
    credentials=True,
    max_age=60,
)
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "x-one"}


async def test_preflight_never_reaches_the_function() -> None:
    """Lambda answers it; another origin gets no permission."""
    async with raw_client(cors=CORS, command=("false",)) as send:
        granted = await send.client.options(
            "/", headers={"origin": "https://a.example", **PREFLIGHT}
        )
        refused = await send.client.options(
            "/", headers={"origin": "https://b.example", **PREFLIGHT}
        )

    assert granted.status_code == refused.status_code == 200
    found = {name: value for name, value in granted.headers.items() if name.startswith("access-")}
    assert found == {
        "access-control-allow-origin": "https://a.example",
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET,POST",
        "access-control-allow-headers": "x-one,x-two",
        "access-control-expose-headers": "x-three",
        "access-control-max-age": "60",
    }
    assert not [name for name in refused.headers if name.startswith("access-")]


async def test_anything_may_be_allowed() -> None:
    """``*`` allows what the browser requests."""
    cors = Cors(origins=("*",), methods=("*",), headers=("*",))
    async with raw_client(cors=cors, command=("false",)) as send:
        response = await send.client.options(
            "/", headers={"origin": "https://b.example", **PREFLIGHT}
        )

    assert response.headers["access-control-allow-origin"] == "https://b.example"
    assert response.headers["access-control-allow-methods"] == "POST"
    assert response.headers["access-control-allow-headers"] == "x-one"


async def test_function_s_own_headers_stay_beside_lambda_s() -> None:
    """Two answers, which browsers refuse: why one of the two has to go."""
    prelude = '{"statusCode":200,"headers":{"access-control-allow-origin":"*"}}'
    async with raw_client(cors=CORS) as send:
        send.client.headers["origin"] = "https://a.example"
        response = await send.streamed(prelude, "x")

    assert response.headers.get_list("access-control-allow-origin") == ["*", "https://a.example"]


async def test_options_without_a_preflight_is_the_function_s() -> None:
    """And so is every request of a URL without CORS settings."""
    async with raw_client(cors=CORS) as send:
        plain = await send.client.request("OPTIONS", "/", json={"parts": ["1"]})
    async with raw_client() as send:
        preflight = await send.client.request(
            "OPTIONS", "/", json={"parts": ["2"]}, headers=PREFLIGHT
        )

    assert (plain.text, preflight.text) == ("1", "2")
