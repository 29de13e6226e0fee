"""Bytecode for the artifact, and the message if it cannot be made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.outside

VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"


def compiled(folder: Path, version: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the step of the build for an artifact of one module."""
    (folder / "one.py").write_text("x = 1\n")
    return subprocess.run(
        ["sh", "scripts/bytecode.sh", str(folder), "/var/task", version],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    )


def test_missing_python_is_said_where_sam_shows_it(tmp_path: Path) -> None:
    """``sam build`` displays stdout of a make target, and hides stderr."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "dirname"):
        (tools / name).symlink_to(shutil.which(name) or "")
    done = compiled(tmp_path, "3.13", PATH=str(tools), HOME=str(tmp_path))
    assert "there is no python3.13 here" in done.stdout
    assert "uv python install 3.13" in done.stdout
    assert done.stderr == ""


def test_bytecode_is_for_the_path_on_lambda(tmp_path: Path) -> None:
    """Tracebacks name /var/task, not where it was built."""
    interpreter = tmp_path / f"python{VERSION}"
    interpreter.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    interpreter.chmod(0o755)
    artifact = tmp_path / "artifact"
    artifact.mkdir()
    done = compiled(artifact, VERSION, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.stdout == ""
    (code,) = artifact.glob("__pycache__/one.*.pyc")
    assert b"/var/task/one.py" in code.read_bytes()
