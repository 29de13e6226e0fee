"""A person at a terminal: an interactive bash behind a pseudo-terminal, with a history."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class Shell:
    """What is displayed, and what is typed.

    Args:
        terminal: The pseudo-terminal's own end.
    """

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self.displayed = ""

    def wait_for(self, *texts: str, seconds: float = 60) -> str:
        """Read until one of these is displayed, after what was displayed so far; return it."""
        start, end = len(self.displayed), time.monotonic() + seconds
        while not (found := [text for text in texts if text in self.displayed[start:]]):
            ready, _, _ = select.select([self._terminal], [], [], max(0, end - time.monotonic()))
            assert ready, f"{texts} is not displayed: {self.displayed}"
            self.displayed += os.read(self._terminal, 65536).decode(errors="replace")
        return found[0]

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._terminal, f"{line}\n".encode())


@contextmanager
def shell(environ: Mapping[str, str], history: Path) -> Iterator[Shell]:
    """Start bash with this environment; at the end it writes its history."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**environ, "HISTFILE": str(history), "PS1": "READY> ", "TERM": "dumb"},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    found = Shell(ours)
    try:
        found.wait_for("READY> ")
        yield found
        found.type("exit")
        process.wait(timeout=10)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
