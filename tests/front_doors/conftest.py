"""Each front door to the app, opened once for all tests of this folder.

Everything else in ``tests`` reaches the app through uvicorn alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import httpx2
import pytest
import pytest_asyncio

from tests.fakes.function_url import function_url
from tests.fakes.server import serving
from tests.fakes.upstream import Upstream, upstream

DOORS: dict[str, Callable[[dict[str, str]], AbstractAsyncContextManager[str]]] = {
    "server": serving,
    "function_url": function_url,
}
APP = "https://app.example"
KEY = "key-one-of-tests"
OPEN = {
    "TOKENWIRE_CORS_ORIGINS": APP,
    "TOKENWIRE_MAX_BODY_BYTES": "300000",
}
"""The settings of most tests."""
GUARDED = {
    "TOKENWIRE_API_KEYS": KEY,
    "TOKENWIRE_HEARTBEAT": "50ms",
    "TOKENWIRE_TIMEOUT_IDLE": "1s",
}
"""The settings of those that need a key, pings or a timeout."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def behind() -> AsyncIterator[Upstream]:
    """The scripted provider behind every door."""
    async with upstream() as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def provider(behind: Upstream) -> AsyncIterator[Upstream]:
    """The same, without scripts and requests of other tests."""
    behind.forget()
    yield behind


@pytest.fixture(scope="session", params=list(DOORS))
def door(request: pytest.FixtureRequest) -> str:
    """Each front door in turn."""
    return str(request.param)


def settings(behind: Upstream) -> dict[str, str]:
    """Lead to the scripted provider, once for each request."""
    return {
        "OPENAI_API_KEY": "sk-secret",
        "OPENAI_BASE_URL": behind.base_url,
        "TOKENWIRE_DEFAULT_MODEL": "openai/gpt-x",
        "TOKENWIRE_CONFIG": "tests/http/no_retries.toml",
    }


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def open_url(door: str, behind: Upstream) -> AsyncIterator[str]:
    """The address of the app with the settings ``OPEN``."""
    async with DOORS[door]({**settings(behind), **OPEN}) as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def guarded_url(door: str, behind: Upstream) -> AsyncIterator[str]:
    """The address of the app with the settings ``GUARDED``."""
    async with DOORS[door]({**settings(behind), **GUARDED}) as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def client(open_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the app with the settings ``OPEN``."""
    async with httpx2.AsyncClient(
        base_url=open_url, timeout=20, trust_env=False, verify=False
    ) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def keyed(guarded_url: str) -> AsyncIterator[httpx2.AsyncClient]:
    """A client with a key of the app with the settings ``GUARDED``."""
    async with httpx2.AsyncClient(
        base_url=guarded_url,
        headers={"authorization": f"Bearer {KEY}"},
        timeout=20,
        trust_env=False,
        verify=False,
    ) as found:
        yield found
