"""The load generator in Go (``benchmarks/load``): built once, one run for each measurement."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from .processes import Running

Result: TypeAlias = dict[str, Any]
_SOURCE = Path(__file__).parent / "load"
_WAIT = 30.0 if os.environ.get("QUICK") == "1" else 90.0
"""Seconds for one measurement. A subject that needs longer has no result."""


class Missing(Exception):
    """A program that is not installed, or a measurement that did not end; with its reason."""


@dataclass(frozen=True, slots=True)
class Generator:
    """The built program.

    Args:
        path: Of the binary.
        core: The one that it and the scripted provider run on.
    """

    path: Path
    core: int

    @classmethod
    def build(cls, core: int) -> Generator:
        """Build it, unless this version of its source has been built.

        Raises:
            Missing: There is no Go, or it cannot build it.
        """
        sources = sorted(_SOURCE.glob("*.go"))
        name = hashlib.sha256(b"".join(one.read_bytes() for one in sources)).hexdigest()[:16]
        path = Path(".cache/load").absolute() / name
        if not path.exists():
            if not (go := shutil.which("go", path=f"{os.environ['PATH']}:/usr/local/go/bin")):
                raise Missing("go is not installed")
            done = subprocess.run(
                [go, "build", "-o", path, "."], cwd=_SOURCE, capture_output=True, text=True
            )
            if done.returncode:
                raise Missing(f"go cannot build the load generator: {done.stderr.strip()}")
        return cls(path, core)

    def run(self, scenario: str, host: str, *flags: str) -> Result:
        """Measure once.

        Raises:
            Missing: It failed, or it took too long.
        """
        command = ["taskset", "-c", str(self.core), str(self.path), scenario, "-host", host, *flags]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_WAIT)
        except subprocess.TimeoutExpired:
            raise Missing(f"no end within {_WAIT:.0f} s") from None
        if done.returncode:
            raise Missing(done.stderr.strip().splitlines()[0][:200])
        result: Result = json.loads(done.stdout)
        if broken := result.get("broken"):
            raise Missing(f"{broken} of {result['streams']} streams broke off")
        return result

    def measure(self, scenario: str, subject: Running, *flags: str) -> Result:
        """Measure a subject: with its headers, its names of models, and its processes' resources.

        Raises:
            Missing: As ``run``.
        """
        own = [f"-prefix={subject.prefix}", *(f"-header={line}" for line in subject.headers)]
        pids = ",".join(map(str, subject.pids()))
        return self.run(scenario, f"127.0.0.1:{subject.port}", "-pid", pids, *own, *flags)
