"""The clock that measures leases."""

from __future__ import annotations

import asyncio


def monotonic() -> float:
    """Return seconds by the running event loop's clock, which its timers use.

    In uvloop the clock does not advance during a callback, so a measured duration may be too short
    but never too long: a lease is never considered expired too early.
    """
    return asyncio.get_running_loop().time()
