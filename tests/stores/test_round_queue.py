"""A queue whose items are taken in rounds: when it takes any, and that it can be closed."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from tests.fakes.virtual import run
from tokenwire.stores.redis.round_queue import RoundQueue


@pytest.mark.parametrize("when", ["timer set", "no timer set", "nothing waits"])
def test_nothing_is_taken_after_closing(when: str) -> None:
    """Whether a timer was set or the last step could take nothing; commands may still end."""

    async def play() -> int:
        taken = 0

        def take(_: deque[int], most: int) -> int:
            nonlocal taken
            taken += 1
            return 0

        queue = RoundQueue[int](lambda: 0.1, take)
        if when != "nothing waits":
            queue.add(1)
        if when == "no timer set":
            await asyncio.sleep(1.0)
        before = taken
        queue.close()
        queue.resume()
        queue.add(2)
        await asyncio.sleep(1.0)
        return taken - before

    assert run(play) == 0
