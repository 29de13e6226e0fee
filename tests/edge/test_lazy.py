"""Parts of a connection that are made when they are used: they behave as those they stand for."""

from __future__ import annotations

import asyncio

import pytest

from tokenwire.server.lazy import LazyEvent, Pipeline


@pytest.mark.parametrize("kind", [LazyEvent, asyncio.Event])
async def test_event_wakes_all_who_wait(kind: type[LazyEvent | asyncio.Event]) -> None:
    """Also if it is cleared before they run; a later one waits for the next time."""
    event = kind()
    waiting = [asyncio.ensure_future(event.wait()) for _ in range(2)]
    await asyncio.sleep(0)
    event.set()
    event.clear()
    assert await asyncio.gather(*waiting) == [True, True]
    late = asyncio.ensure_future(event.wait())
    await asyncio.sleep(0)
    assert not late.done()
    assert not event.is_set()
    event.set()
    assert await late
    assert await event.wait()
    assert event.is_set()


async def test_event_may_be_set_from_the_start() -> None:
    """As the one of a client that accepts all that is sent."""
    event = LazyEvent(is_set=True)
    assert await event.wait()


def test_pipeline_is_first_in_first_out() -> None:
    """As uvicorn uses its deque: in at the left, out at the right."""
    pipeline = Pipeline()
    pipeline.appendleft("first")
    pipeline.appendleft("second")
    assert [pipeline.pop(), pipeline.pop()] == ["first", "second"]
    assert not pipeline
