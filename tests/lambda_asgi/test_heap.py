"""Garbage collection around a cold start."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.lambda_asgi.test_process import at, started

pytestmark = pytest.mark.outside


async def report(**environ: str) -> dict[str, Any]:
    """How the collector was set during import, startup and a request."""
    async with started("heap_report", **environ) as (api, _):
        found: dict[str, Any] = json.loads((await api.invoke(at("/")).finished()).payload)
    return found


async def test_collection_waits_for_the_end_of_the_start() -> None:
    """Off while modules are imported and the app starts; on, without the start's heap, after."""
    found = await report()
    assert (found["import"], found["startup"]) == (0, 0)
    assert found["request"] > 0
    assert (found["enabled"], found["frozen"]) == (True, True)
    assert found["cycle"], "a request is waiting: the start's garbage stays"


@pytest.mark.parametrize("kind", ["snap-start", "provisioned-concurrency"])
async def test_start_ahead_of_requests_frees_its_garbage(kind: str) -> None:
    """Where no request waits for the start, the snapshot or the idle process is made smaller."""
    found = await report(AWS_LAMBDA_INITIALIZATION_TYPE=kind)
    assert (found["cycle"], found["frozen"]) == (False, True)


async def test_an_app_s_own_thresholds_stay() -> None:
    """What the app has set during its start is not undone."""
    assert (await report(GC_THRESHOLD="54321"))["request"] == 54321
