"""Fixtures that many rooms use: a scripted provider, and the app in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeAlias

import httpx2
import pytest

from tests.fakes.server import serving
from tests.fakes.upstream import Upstream, upstream

Serve: TypeAlias = Callable[..., Awaitable[httpx2.AsyncClient]]


@pytest.fixture
async def provider() -> AsyncIterator[Upstream]:
    """A scripted provider."""
    async with upstream() as found:
        yield found


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts the app with these settings; gives a client of it.

    ``await serve(provider, TOKENWIRE_HEARTBEAT="0.1")``
    """
    async with AsyncExitStack() as stack:

        async def start(behind: Upstream | None = None, **settings: str) -> httpx2.AsyncClient:
            environ = dict(settings)
            if behind is not None:
                environ |= {"OPENAI_API_KEY": "sk-secret", "OPENAI_BASE_URL": behind.base_url}
            base_url = await stack.enter_async_context(serving(environ))
            client = httpx2.AsyncClient(base_url=base_url, timeout=20, trust_env=False)
            return await stack.enter_async_context(client)

        yield start
