"""Slots: so many at once, the newest first, and none that is lost."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tokenwire.stores.slots import Slots


class Crowd:
    """Those who want a slot, and who has one."""

    def __init__(self, most: int) -> None:
        self.slots = Slots(most)
        self.order: list[float] = []
        self.leave = asyncio.Event()

    async def come(self, age: float) -> None:
        """Hold a slot until the test releases it."""
        async with self.slots.take(age):
            self.order.append(age)
            await self.leave.wait()


async def settle() -> None:
    """Let every task go on as far as it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_newest_goes_first() -> None:
    """Of those that wait; as many at once as there are slots."""
    crowd = Crowd(2)
    tasks = [asyncio.create_task(crowd.come(age)) for age in (9, 8, 5, 7, 6)]
    await settle()
    assert crowd.order == [9, 8]
    crowd.leave.set()
    await asyncio.gather(*tasks)
    assert crowd.order == [9, 8, 5, 6, 7]


async def test_slot_of_one_who_was_cancelled_is_not_lost() -> None:
    """Neither while it waits, nor in the moment in which it is let in."""
    crowd = Crowd(1)
    first, waiting, let_in, last = (asyncio.create_task(crowd.come(age)) for age in (1, 2, 3, 4))
    await settle()
    waiting.cancel()
    crowd.leave.set()
    while not first.done():
        await asyncio.sleep(0)
    let_in.cancel()
    await asyncio.gather(last, let_in, waiting, return_exceptions=True)
    assert crowd.order == [1, 4]
    async with asyncio.timeout(1), crowd.slots.take(0):
        pass
    with suppress(asyncio.CancelledError):
        await let_in
