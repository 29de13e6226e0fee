"""Run a command-line tool of others in a folder of its own."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

TOOL_SAYS = "sunny"


class Refused(Exception):
    """The tool ended with an error; the text is what it printed."""


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder."""
    # Not below /tmp, where codex does not accept its home, and in no repository.
    with tempfile.TemporaryDirectory(dir="/var/tmp") as found:
        work = Path(found, "work")
        work.mkdir()
        yield work


async def output(command: Sequence[str], work: Path, env: Mapping[str, str]) -> str:
    """Run the tool in a folder, with a home of its own beside it; what it printed.

    Raises:
        Refused: Its exit code is not 0.
    """
    own = work.with_name("home")
    own.mkdir(exist_ok=True)
    xdg = {f"XDG_{name}_HOME": str(own / name) for name in ("DATA", "CONFIG", "CACHE", "STATE")}
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=work,
        env={**os.environ, "HOME": str(own), "PWD": str(work), **xdg, **env},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise Refused(printed.decode(errors="replace")[-600:])
    return printed.decode(errors="replace")
