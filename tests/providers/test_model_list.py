"""The list of a provider's models: configured, or requested at most every five minutes."""

from __future__ import annotations

import asyncio

from tokenwire.providers.model_list import TTL, ModelList


async def test_configured_names_are_not_asked_for() -> None:
    """A provider whose models are configured gets no request."""

    async def fetch() -> list[str]:
        raise AssertionError("requested")

    assert await ModelList(("a", "b"), fetch).get() == ["a", "b"]


async def test_asked_once_until_the_list_is_old() -> None:
    """Concurrent callers share one request; it is repeated only after ``TTL`` seconds."""
    now, requests = [0.0], 0

    async def fetch() -> list[str]:
        nonlocal requests
        requests += 1
        await asyncio.sleep(0)
        return [f"m{requests}"]

    names = ModelList((), fetch, lambda: now[0])
    first, second = await asyncio.gather(names.get(), names.get())
    assert first == second == ["m1"]
    now[0] = TTL
    assert await names.get() == ["m1"]
    now[0] = TTL + 0.001
    assert await names.get() == ["m2"]
    assert requests == 2
