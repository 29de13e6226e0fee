"""A framework's own suite in an environment of its own, every request through lambda_asgi."""

from __future__ import annotations

import asyncio
import re
import tomllib
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.suites.launching import UV, environ

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Suite:
    """The suite in the sources of one version.

    Args:
        package: Its name on PyPI; ``programs`` has its program, and a list tells what cannot pass.
        least: Fewer cases than this mean that the suite has not really run.
    """

    package: str
    least: int

    @property
    def program(self) -> Path:
        """What runs pytest in the suite's environment."""
        return HERE / f"programs/{self.package}_suite.py"

    @property
    def folder(self) -> Path:
        """The sources, which ``scripts/suites.sh`` has fetched."""
        pinned = re.search(rf"{self.package}(?:\[\w+\])?==([\d.]+)", self.program.read_text())
        assert pinned is not None
        return Path(f".cache/suites/{self.package}-{pinned[1]}").absolute()

    @property
    def cannot(self) -> set[str]:
        """The names of the tests that cannot pass."""
        entries = tomllib.loads((HERE / f"{self.package}.toml").read_text())["cannot"]
        return {name for entry in entries for name in entry["tests"]}

    async def failures(self, report: Path) -> set[str]:
        """Run the suite.

        Args:
            report: Where pytest writes its report.

        Returns:
            The names of the tests that failed, without their parameters.
        """
        if not (UV.exists() and self.folder.is_dir()):
            pytest.skip(f"skipped: no sources of {self.package} (scripts/suites.sh)")
        await self._run(report)
        cases = list(ET.parse(report).iter("testcase"))
        assert len([case for case in cases if case.find("skipped") is None]) > self.least
        return {_name(case) for case in cases if _failed(case)}

    async def _run(self, report: Path) -> None:
        run = [str(UV), "run", "--quiet", "--no-project", "--locked", "--script"]
        layer, plugin = Path("layers/lambda_asgi").absolute(), HERE / "programs"
        process = await asyncio.create_subprocess_exec(
            *[*run, str(self.program), "tests", str(report)],
            cwd=self.folder,
            env=environ(PYTHONPATH=f"{layer}:{plugin}"),
            stdout=asyncio.subprocess.DEVNULL,
        )
        await process.wait()


def _failed(case: ET.Element) -> bool:
    return case.find("failure") is not None or case.find("error") is not None


def _name(case: ET.Element) -> str:
    module = case.attrib["classname"].removeprefix("tests.")
    return f"{module}.{case.attrib['name'].partition('[')[0]}"
