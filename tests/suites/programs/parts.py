"""The bodies that every framework streams."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path


async def parts() -> AsyncIterator[bytes]:
    """One part now, the other once the test has the first."""
    yield b"one"
    signal = Path(os.environ["SIGNAL"])
    for _ in range(200):
        if signal.exists():
            break
        await asyncio.sleep(0.02)
    yield b"two" if signal.exists() else b"late"


async def failing() -> AsyncIterator[bytes]:
    """A part, and an exception."""
    yield b"begun"
    await asyncio.sleep(0.05)
    raise ValueError("sk-secret")
