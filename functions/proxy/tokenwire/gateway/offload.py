"""Run long computations outside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
SHORT = 64 * 1024
"""Bytes of an answer that the event loop folds in a few milliseconds."""


async def apart(size: int, make: Callable[[], T]) -> T:
    """Call ``make``; in a thread, if it has more than ``SHORT`` bytes to read.

    Args:
        size: How many bytes it reads.
        make: Reads them. Must not touch what belongs to the event loop.
    """
    return make() if size <= SHORT else await asyncio.to_thread(make)
