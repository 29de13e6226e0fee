"""The examples, unchanged, behind the local function URL; and the README's own."""

from __future__ import annotations

import re
from pathlib import Path

import httpx2
import pytest

from tests.fakes.function_url import function_url

pytestmark = pytest.mark.outside


async def get(example: str, path: str) -> httpx2.Response:
    """One answer of an example's."""
    async with (
        function_url({}, f"examples.lambda_asgi.{example}:handler", concurrency=1) as url,
        httpx2.AsyncClient(base_url=url, timeout=30, trust_env=False, verify=False) as client,
    ):
        return await client.get(path)


async def test_fastapi_streams() -> None:
    """The README's ten lines."""
    response = await get("fastapi_app", "/count")
    assert response.text.split() == [str(number) for number in range(10)]


def test_readme_shows_the_example() -> None:
    """What is printed there is what is tested here."""
    readme = Path("layers/lambda_asgi/README.md").read_text()
    shown = re.search(r"```python\n(.*?)```", readme, re.DOTALL)
    assert shown is not None
    assert shown[1] == Path("examples/lambda_asgi/fastapi_app.py").read_text()


async def test_starlette_has_state_and_context() -> None:
    """The lifespan's state, and what Lambda says of the invocation."""
    about = (await get("starlette_app", "/about")).json()
    assert about["greeting"] == "hello"
    assert about["request_id"]
    assert 0 < about["milliseconds_left"] <= 60_000
    clock = await get("starlette_app", "/clock")
    assert clock.text.count("data: tick\n\n") == 5


async def test_litestar_streams() -> None:
    """Another framework, which waits to hear that its client has gone."""
    response = await get("litestar_app", "/clock")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert re.findall(r"data: (tick \d)", response.text) == [f"tick {n}" for n in range(5)]
