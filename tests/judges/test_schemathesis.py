"""schemathesis: requests made up from ``/openapi.json``, and whether it tells the truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.judges.conftest import Verdict
from tests.judges.parts import PYTHON, need, run

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
)
HOW = (
    *("--checks", ",".join(CHECKS)),
    # The coverage phase is out: on the requests' own schemas it takes many minutes.
    *("--phases", "examples,fuzzing"),
    *("--max-examples", "15"),
    *("--generation-deterministic", "--no-shrink", "--continue-on-failure"),
    *("--request-timeout", "20", "--report", "json"),
)


@pytest.mark.judge("schemathesis", "requests made up from `/openapi.json`, well-formed and not")
@pytest.mark.timeout(300)
async def test_the_schema_is_true(demo: str, verdict: Verdict, tmp_path: Path) -> None:
    """No 5xx; each status, content type, header and body is one that the schema has."""
    saved = tmp_path / "report.json"
    program = [need(PYTHON / "st"), "run", f"{demo}/openapi.json"]
    done = await run([*program, *HOW, "--report-json-path", str(saved)], 280, tmp_path)
    assert saved.exists(), done.out + done.err
    found = _failures(json.loads(saved.read_text()))
    verdict(_listed(found))
    assert found == {}
    assert done.code == 0, done.out[-3000:]


def _failures(report: dict[str, Any]) -> dict[str, list[str]]:
    """The operations at fault, by what is wrong with them."""
    assert report["complete"], report["stop_reason"]
    assert report["errors"] == []
    return {found["title"]: sorted(found["operations"]) for found in report["failures"]}


def _listed(found: dict[str, list[str]]) -> str:
    wrong = ", ".join(f"{title} in {len(where)} operations" for title, where in found.items())
    return wrong or "no 5xx; every status, content type, header and body is in the schema"
