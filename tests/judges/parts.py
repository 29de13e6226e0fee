"""The programs of other authors, as installed by ``make judges``."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NODE = Path(sys.executable).with_name("node")
MODULES = HERE / "node_modules"
PYTHON = Path(".cache/judges-python/bin").absolute()
"""The environment of ``llmock`` and ``schemathesis``, separate from the app's packages."""


@dataclass(frozen=True, slots=True)
class Done:
    """A program's exit code and output."""

    code: int
    out: str
    err: str


def need(program: Path) -> str:
    """Return the program's path, or skip the test if it could not be installed."""
    if not program.exists():
        pytest.skip(f"skipped: {program.name} could not be installed (scripts/judges.sh)")
    return str(program)


def environment() -> dict[str, str]:
    """Return the environment without proxies and keys: all servers are local."""
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith(("_proxy", "_api_key"))}
    return {**kept, "NO_COLOR": "1", "NO_PROXY": "127.0.0.1"}


async def run(command: Sequence[str], patience: float, cwd: Path | None = None) -> Done:
    """Run a program to its end.

    Args:
        command: The program and its arguments.
        patience: Seconds after which it is killed.
        cwd: The directory in which it leaves its files.

    Raises:
        TimeoutError: It took longer.
    """
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=environment(),
        stdout=pipe,
        stderr=pipe,
        stdin=asyncio.subprocess.DEVNULL,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(), patience)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Done(process.returncode or 0, out.decode(), err.decode())
