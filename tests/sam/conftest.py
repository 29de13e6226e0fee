"""What ``make test-sam`` has prepared: artifacts, an engine, a base image, the SAM CLI."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ARCH = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
SAM = Path(".cache/sam/bin/sam").absolute()
GATEWAY = os.environ.get("DOCKER_GATEWAY") or "172.17.0.1"
"""This machine, as Docker's default bridge shows it to a container."""


@pytest.fixture(scope="session")
def build() -> Path:
    """Where ``sam build`` has put its artifacts."""
    found = os.environ.get("SAM_BUILD_DIR")
    if found is None:
        pytest.skip("make test-sam prepares what these tests need")
    return Path(found)


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    status: int | None
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The last line of its output."""
        return json.loads(self.out.strip().splitlines()[-1])


async def run(command: Sequence[str | Path], **environ: str) -> Ended:
    """Run a command to its end."""
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        env={**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1", **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Ended(process.returncode, out.decode(), err.decode())


@asynccontextmanager
async def running(command: Sequence[str | Path], log: Path, **environ: str) -> AsyncIterator[None]:
    """Run a command for as long as the context lasts."""
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            env={
                **os.environ,
                "SAM_CLI_TELEMETRY": "0",
                "AWS_DEFAULT_REGION": "us-east-1",
                **environ,
            },
            stdout=out,
            stderr=out,
        )
        try:
            yield
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


def reachable() -> str:
    """The address at which containers reach this machine."""
    try:
        socket.create_server((GATEWAY, 0)).close()
    except OSError:
        pytest.skip("skipped: this machine has no address that its containers reach")
    return GATEWAY
