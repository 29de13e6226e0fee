"""Processes in the environment of ``programs/launch.py``, which has the packages of others."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

LAUNCH = Path(__file__).parent / "programs/launch.py"
UV = Path(".cache/tools/bin/uv").absolute()
PATIENCE = 60.0
"""Seconds for a process's work, its environment's set-up included."""


def environ(**more: str) -> dict[str, str]:
    """The process's environment, without proxies, and with the layer on the path."""
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    path = os.pathsep.join([str(Path("layers/lambda_asgi").absolute()), str(Path.cwd())])
    return {**kept, "PYTHONPATH": path, "UV_PYTHON_DOWNLOADS": "never", **more}


def command(module: str, *arguments: str) -> list[str]:
    """Run a module in that environment; skips where it cannot be made."""
    if not UV.exists():
        pytest.skip("skipped: uv is not installed (scripts/setup.sh)")
    run = [str(UV), "run", "--quiet", "--no-project", "--locked", "--script", str(LAUNCH)]
    return [*run, module, *arguments]


@asynccontextmanager
async def running(
    log: Path, module: str, *arguments: str, **more: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process for as long as the context lasts; its output goes to a file."""
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *command(module, *arguments),
            env=environ(**more),
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            os.killpg(process.pid, 15)  # uv's child is in the same group
        await process.wait()


async def output(module: str, *arguments: str) -> str:
    """What a process has printed when it ends well."""
    process = await asyncio.create_subprocess_exec(
        *command(module, *arguments),
        env=environ(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode == 0, err.decode()[-3000:]
    return out.decode()
