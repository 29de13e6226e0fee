"""Starlette's own suite, each request of its test client through lambda_asgi."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.suites.outside import Suite

pytestmark = [pytest.mark.judge, pytest.mark.timeout(1200)]
SUITE = Suite("starlette", least=500)


async def test_starlette_s_suite(tmp_path: Path) -> None:
    """What fails is what is listed with its reason, neither more nor less."""
    failed = await SUITE.failures(tmp_path / "report.xml")
    listed = SUITE.cannot
    as_root = {name for name in listed if name.endswith("invalid_dir_permissions_returns_401")}
    assert failed - listed == set()
    assert listed - failed - as_root == set()
