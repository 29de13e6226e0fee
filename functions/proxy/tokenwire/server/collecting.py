"""Full garbage collections: when no stream waits for them."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

_NEVER = 2**31 - 1
_PAUSE = 5.0
"""Seconds between two looks at whether a collection is due."""
_LONGEST = 300.0
"""Seconds after which it runs even though streams are open."""


async def collect_when_idle(is_idle: Callable[[], bool]) -> None:
    """Take over the full collections of this process until cancelled.

    Python runs one whenever the old objects have grown by a quarter. It stops all streams: for
    50 ms with the objects of some thousand streams that have ended and can still be resumed. The
    collections of young objects, which take less than a millisecond, stay with Python.

    Args:
        is_idle: Returns whether no stream is open.
    """
    thresholds = gc.get_threshold()
    gc.set_threshold(*thresholds[:2], _NEVER)
    now = asyncio.get_running_loop().time
    last = now()
    try:
        while True:
            await asyncio.sleep(_PAUSE)
            has_grown = gc.get_count()[2] > 0
            if has_grown and (is_idle() or now() - last >= _LONGEST):
                gc.collect()
                last = now()
    finally:
        gc.set_threshold(*thresholds)
