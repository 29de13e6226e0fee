"""Virtual time itself: a test that waits in vain fails, and does not hang."""

from __future__ import annotations

import asyncio

import pytest

from tests.fakes.virtual import LONG, run


def test_long_sleep_takes_no_time() -> None:
    """A sleep of days ends, at its own time."""

    async def main() -> float:
        await asyncio.sleep(LONG)
        return asyncio.get_running_loop().time()

    assert run(main) == LONG


def test_waiting_again_and_again_fails() -> None:
    """A loop around a wait that never succeeds is cut off; pytest's timeout may be lost in it."""

    async def main() -> None:
        while True:
            await asyncio.sleep(3600)

    with pytest.raises(RuntimeError, match="waits for ever"):
        run(main)


def test_waiting_for_nothing_fails() -> None:
    """With no timer left, nothing can happen any more."""

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="no timer is set"):
        run(main)
