"""Connections that are closed at the end of their test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2
import pytest

from .wire import Dial, Wire


@pytest.fixture
async def dial() -> AsyncIterator[Dial]:
    """Open a connection to the server of a client."""
    opened: list[Wire] = []

    async def connect(client: httpx2.AsyncClient) -> Wire:
        url = client.base_url
        wire = Wire(*await asyncio.open_connection(url.host, url.port, limit=2**20))
        opened.append(wire)
        return wire

    yield connect
    for wire in opened:
        wire.close()
    await asyncio.sleep(0)
