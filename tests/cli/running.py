"""The command in this process, in a folder and an environment of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from tokenwire.cli.commands import tokenwire
from tokenwire.errors import ProxyError


@dataclass(frozen=True)
class Ended:
    """How the command ended, with all that it printed."""

    status: int
    output: str


def run(folder: Path, *arguments: str, **environ: str) -> Ended:
    """Run the command there, with no other variables than these."""
    with _inside(folder, environ):
        done = CliRunner().invoke(tokenwire, arguments, prog_name="tokenwire")
    if isinstance(done.exception, ProxyError):
        return Ended(1, f"{done.output}tokenwire: {done.exception}")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return Ended(done.exit_code, done.output)


@contextmanager
def _inside(folder: Path, environ: dict[str, str]) -> Iterator[None]:
    here, before = Path.cwd(), dict(os.environ)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update({"PATH": before["PATH"], "AWS_EC2_METADATA_DISABLED": "true", **environ})
    try:
        yield
    finally:
        os.chdir(here)
        os.environ.clear()
        os.environ.update(before)
