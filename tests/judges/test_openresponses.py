"""The compliance suite of Open Responses, against the Responses API.

``openresponses.mjs`` is the suite of the repository sustainabilities/openresponses, of 2026-04-21,
bundled into one file together with zod. Both licences lie beside it. Nothing in it is changed.
"""

from __future__ import annotations

import json

import pytest

from tests.judges.conftest import Verdict
from tests.judges.parts import HERE, NODE, need, run

# The seven cases over WebSocket are out of scope: Responses are not served over WebSocket yet.
WEBSOCKET = "websocket-"
HTTP = (
    "basic-response",
    "streaming-response",
    "system-prompt",
    "tool-calling",
    "image-input",
    "multi-turn",
)


@pytest.mark.judge("Open Responses", "its compliance suite: the six HTTP cases")
@pytest.mark.timeout(120)
async def test_http_cases(demo: str, verdict: Verdict) -> None:
    """Every HTTP case passes. The suite runs its WebSocket cases too; they are not judged."""
    suite = str(HERE / "openresponses.mjs")
    done = await run(
        [need(NODE), suite, "-u", f"{demo}/v1", "-k", "x", "-m", "demo/markdown", "--json"], 100
    )
    results = {found["id"]: found for found in json.loads(done.out)["results"]}
    assert set(HTTP) == {name for name in results if not name.startswith(WEBSOCKET)}
    passed = [name for name in HTTP if results[name]["status"] == "passed"]
    verdict(f"{len(passed)} of {len(HTTP)} HTTP cases")
    assert {name: results[name]["errors"] for name in HTTP if name not in passed} == {}
