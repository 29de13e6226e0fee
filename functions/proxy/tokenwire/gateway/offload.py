"""Run long computations outside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
SHORT = 64 * 1024
"""Bytes of an answer that can be folded in the event loop, within a few milliseconds."""


async def apart(size: int, make: Callable[[], T]) -> T:
    """Call ``make``; in a thread if it reads more than ``SHORT`` bytes.

    Args:
        size: The bytes that ``make`` reads.
        make: Reads them. It must not use what belongs to the event loop.
    """
    return make() if size <= SHORT else await asyncio.to_thread(make)
