"""The clock by which leases are measured."""

from __future__ import annotations

import asyncio


def monotonic() -> float:
    """Seconds, by the running event loop: what its timers go by.

    It stands still while a callback runs (in uvloop), so that what is measured by it is at most
    too short: a lease is never thought to be over before it is.
    """
    return asyncio.get_running_loop().time()
