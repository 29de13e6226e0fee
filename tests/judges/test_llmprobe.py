"""llmprobe: what it calls a MUST of Chat Completions, Responses, Messages and the models list."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from tests.judges.conftest import Verdict
from tests.judges.parts import HERE, MODULES, NODE, need, run


@pytest.mark.judge("llmprobe", "what its version 0.6.12 calls a MUST, on four surfaces")
@pytest.mark.timeout(180)
async def test_every_must(demo: str, verdict: Verdict, tmp_path: Path) -> None:
    """No MUST fails but those in llmprobe.toml, and each of those does."""
    program = need(MODULES / "llmprobe/bin/dist/llmprobe.mjs")
    saved = tmp_path / "report.json"
    target = [f"{demo}/v1", "-m", "demo/markdown"]
    quiet = ["--no-bench", "--no-save", "--no-color", "--json", "--full"]
    done = await run([need(NODE), program, *target, *quiet, "--save", str(saved)], 170)
    assert saved.exists(), done.err
    found = json.loads(saved.read_text())["conformance"]
    failed = _failed(found["results"])
    known = tomllib.loads((HERE / "llmprobe.toml").read_text())["not_done"]
    verdict(f"{found['passed']} of {found['total']} MUSTs; {_listed(known)} in `llmprobe.toml`")
    assert {name: why for name, why in failed.items() if name not in known} == {}
    assert set(known) == set(failed), "llmprobe.toml lists what no longer fails"


def _failed(results: list[dict[str, Any]]) -> dict[str, str]:
    """The failed MUSTs, and what llmprobe says of each."""
    failures = [failure for result in results for failure in result["failures"]]
    return {f["id"]: f["message"] for f in failures if f["severity"] == "MUST"}


def _listed(known: Collection[str]) -> str:
    return f"the other {len(known)}, with {'its reason' if len(known) == 1 else 'their reasons'},"
