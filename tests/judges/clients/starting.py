"""Start the programs, and say why one cannot be started."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.judges.clients.table import PROGRAMS, PROVIDERS

UV = Path(".cache/tools/bin/uv").absolute()
NODE = Path(sys.executable).with_name("node")
JARS = Path(".cache/java-clients").absolute()
MODULES = PROGRAMS / "node/node_modules"
PATIENCE = 240.0
"""Seconds that a program may take, its environment's set-up and its compilation included."""

Outcomes = Mapping[tuple[str, str, str], Mapping[str, Any]]
"""What each client had, by client, case and model."""


class NotHere(Exception):
    """The program cannot run on this machine; the text says why."""


def run(program: str, base_url: str) -> Outcomes:
    """Run a program against every model.

    Raises:
        NotHere: Its language or its packages are not on this machine.
    """
    command = [*_command(program), base_url, *PROVIDERS.values()]
    done = subprocess.run(
        command,
        cwd=PROGRAMS / program if program == "go" else PROGRAMS,
        env=_environment(),
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(b'{"')]
    assert lines, done.stderr.decode(errors="replace")[-2000:]
    found = [json.loads(line) for line in lines]
    return {(result["client"], result["case"], result["model"]): result for result in found}


def _environment() -> dict[str, str]:
    # No proxy, and no key of the developer's own, on the way to the server.
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith(("_proxy", "_api_key"))}
    quiet = {"AI_SDK_LOG_WARNINGS": "false", "UV_PYTHON_DOWNLOADS": "never"}
    return kept | quiet | {"NO_PROXY": "127.0.0.1", "GOTELEMETRY": "off"}


def _command(program: str) -> Sequence[str]:
    if program == "go":
        return _go()
    if program == "java":
        return _java()
    if program.endswith(".mjs"):
        _need(MODULES.is_dir(), "its packages could not be installed (scripts/judges.sh)")
        return [str(NODE), program]
    if program == "coding_agents.py":
        _need(MODULES.is_dir(), "its packages could not be installed (scripts/judges.sh)")
        return [sys.executable, program]
    _need(UV.exists(), "uv is not installed (scripts/setup.sh)")
    return [str(UV), "run", "--quiet", "--no-project", "--locked", "--script", program]


def _go() -> Sequence[str]:
    binary = Path(".cache/go-clients").absolute()
    _need(shutil.which("go"), "there is no Go compiler")
    # Without optimization: the SDKs are large, and compiling them is all the time this takes.
    subprocess.run(
        ["go", "build", "-gcflags=all=-N -l", "-o", str(binary), "."],
        cwd=PROGRAMS / "go",
        env=_environment(),
        check=True,
        timeout=600,
    )
    return [str(binary)]


def _java() -> Sequence[str]:
    _need(shutil.which("java"), "there is no Java")
    _need(JARS.is_dir(), "its packages could not be fetched (scripts/judges.sh)")
    return ["java", "-cp", f"{JARS}/*", "java/Clients.java"]


def _need(there: object, why: str) -> None:
    if not there:
        raise NotHere(why)
