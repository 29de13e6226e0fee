"""What befalls hostile streams, at random: networks, stores, and a process that is stopped."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

from tests.fakes.relay import Relay
from tests.stores.damage import Damage
from tests.stores.test_processes import LEASE, Node


@asynccontextmanager
async def troubled(troubles: Iterable[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    """While the context lasts, these go on."""
    tasks = [asyncio.create_task(trouble) for trouble in troubles]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def harass(relays: list[Relay], damage: Damage, ids: list[str]) -> None:
    """One fault after the other, each shorter than a lease, until cancelled."""
    is_table, copies = "DynamoDB" in type(damage).__name__, dict[str, Any]()
    while True:
        await asyncio.sleep(random.uniform(0.05, 0.25))
        await fault(random.choice(relays))
        if not is_table and random.random() < 0.15:
            harm(damage, random.choice(ids), copies)


async def fault(between: Relay) -> None:
    """Something that happens in networks."""
    kind = random.choice(["cut", "stall", "lose", "break", "slow", "refuse"])
    if kind == "cut":
        between.cut()
    elif kind == "lose":
        between.lose = random.randint(1, 3)
    elif kind == "break":
        between.break_after = random.randint(1, 3000)
    elif kind == "stall":
        between.stalled = True
        await asyncio.sleep(random.uniform(0.05, 0.5))
        between.stalled = False
    elif kind == "slow":
        between.delay = 0.02
        await asyncio.sleep(random.uniform(0.05, 0.5))
        between.delay = 0.0
    else:
        between.refuses = True
        between.cut()
        await asyncio.sleep(random.uniform(0.05, 0.5))
        between.refuses = False


def harm(damage: Damage, stream_id: str, copies: dict[str, Any]) -> None:
    """Something that happens to stores: evicted, flushed, failed over to what was a while ago."""
    kind = random.choice(["head", "batches", "everything", "copy", "back"])
    if kind == "head":
        damage.lose_head(stream_id)
    elif kind == "batches":
        damage.lose_batches(stream_id)
    elif kind == "everything":
        damage.lose_everything()
    elif kind == "copy":
        copies[stream_id] = damage.copied(stream_id)
    elif stream_id in copies:
        damage.put_back(stream_id, copies[stream_id])


async def freeze(producer: Node) -> None:
    """Stop the process for up to two and a half leases, again and again, until cancelled."""
    while True:
        await asyncio.sleep(random.uniform(0.1, 1.0))
        producer.process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(random.uniform(0.1, LEASE * 2.5))
        finally:
            producer.process.send_signal(signal.SIGCONT)
