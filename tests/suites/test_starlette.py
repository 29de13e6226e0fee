"""Starlette's own suite, each request of its test client through lambda_asgi."""

from __future__ import annotations

import asyncio
import re
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.suites.launching import UV, environ

pytestmark = [pytest.mark.judge, pytest.mark.timeout(1200)]
HERE = Path(__file__).parent
SUITE = HERE / "programs/starlette_suite.py"
_VERSION = re.search(r"starlette\[full\]==([\d.]+)", SUITE.read_text())
assert _VERSION is not None
FOLDER = Path(f".cache/suites/starlette-{_VERSION[1]}").absolute()
CANNOT = tomllib.loads((HERE / "starlette.toml").read_text())["cannot"]
LEAST = 500
"""Fewer cases than this mean that the suite has not really run."""


async def run(report: Path) -> None:
    """Run the suite; its outcome is in the report."""
    command = [str(UV), "run", "--quiet", "--no-project", "--locked", "--script", str(SUITE)]
    layer, plugin = Path("layers/lambda_asgi").absolute(), HERE / "programs"
    process = await asyncio.create_subprocess_exec(
        *command,
        "tests",
        str(report),
        cwd=FOLDER,
        env=environ(PYTHONPATH=f"{layer}:{plugin}"),
        stdout=asyncio.subprocess.DEVNULL,
    )
    await process.wait()


async def test_starlette_s_suite(tmp_path: Path) -> None:
    """What fails is what is listed with its reason, neither more nor less."""
    if not (UV.exists() and FOLDER.is_dir()):
        pytest.skip("skipped: Starlette's sources could not be fetched (scripts/suites.sh)")
    await run(tmp_path / "report.xml")
    cases = list(ET.parse(tmp_path / "report.xml").iter("testcase"))
    assert len([case for case in cases if case.find("skipped") is None]) > LEAST
    failed = {
        f"{case.attrib['classname'].removeprefix('tests.')}.{case.attrib['name'].partition('[')[0]}"
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    }
    listed = {name for entry in CANNOT for name in entry["tests"]}
    as_root = {name for name in listed if name.endswith("invalid_dir_permissions_returns_401")}
    assert failed - listed == set()
    assert listed - failed - as_root == set()
