"""FastAPI's own suite, each request of its test client through lambda_asgi."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.suites.outside import Suite

pytestmark = [pytest.mark.judge, pytest.mark.timeout(1200)]
SUITE = Suite("fastapi", least=4000)


async def test_fastapi_s_suite(tmp_path: Path) -> None:
    """What fails is what is listed with its reason, neither more nor less."""
    assert await SUITE.failures(tmp_path / "report.xml") == SUITE.cannot
