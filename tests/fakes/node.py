"""A Node program that stays: one process for many jobs, one after the other."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NODE = Path(sys.executable).with_name("node")
HERE = Path("tests/node")


def needs_package(name: str) -> pytest.MarkDecorator:
    """Skip tests where Node, or this package of ``tests/node``, is not installed."""
    return pytest.mark.skipif(
        not (NODE.exists() and (HERE / "node_modules" / name).is_dir()),
        reason=f"skipped: the package {name} of Node could not be installed (scripts/parts.sh)",
    )


class Program:
    """A running program. It has no event loop, so that tests of many loops can share it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    async def run(self, *job: str) -> Any:
        """Give it a job, and wait for its result."""
        return await asyncio.to_thread(self._run, job)

    def _run(self, job: tuple[str, ...]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def program(name: str) -> Iterator[Program]:
    """Run a program of ``tests/node`` for as long as the context lasts."""
    command = [str(NODE), "jobs.mjs", f"./{name}"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=HERE, stdin=pipe, stdout=pipe) as process:
        try:
            yield Program(process)
        finally:
            process.kill()
