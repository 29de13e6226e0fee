"""Processes that are measured: started on given cores, found with all their children."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

_WAIT = 120.0


@dataclass(frozen=True, slots=True)
class Running:
    """A program that serves requests.

    Args:
        name: Its row.
        port: Where it listens, on 127.0.0.1.
        root: Its first process; 0 for the provider.
        prefix: What its names of models begin with.
        headers: Lines that requests to it have.
    """

    name: str
    port: int
    root: int
    prefix: str = ""
    headers: tuple[str, ...] = ()

    def pids(self) -> list[int]:
        """Return the ids of its process and of all that it has started."""
        return family(self.root) if self.root else [os.getpid()]

    def cpu(self) -> float:
        """Return the CPU seconds that they have used."""
        return sum(map(_cpu, self.pids()))

    def memory(self) -> int:
        """Return their resident bytes."""
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids()]
        return sum(pages) * os.sysconf("SC_PAGE_SIZE")


def family(pid: int) -> list[int]:
    """Return a process's id, and those of its descendants."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(c) for task in tasks for c in (task / "children").read_text().split()]
    except OSError:  # it has ended
        return []
    return [pid, *(one for child in children for one in family(child))]


def _cpu(pid: int) -> float:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    except OSError:
        return 0.0


def pinned(cores: Iterable[int], command: Sequence[str]) -> list[str]:
    """Return the command that runs a command on these cores alone."""
    return ["taskset", "-c", ",".join(map(str, cores)), *command]


def run(
    stack: ExitStack,
    command: Sequence[str],
    port: int,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> int:
    """Start a server, and wait until it accepts connections.

    Returns:
        The id of its process, which ends with the stack.

    Raises:
        RuntimeError: It ended, or does not listen after two minutes.
    """
    # Log lines are still written: they are part of a request's cost.
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(
        command, env={**os.environ, **(environ or {})}, cwd=cwd, stdout=quiet, stderr=quiet
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    end = time.monotonic() + _WAIT
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process.pid
        time.sleep(0.05)
    raise RuntimeError(f"{command} did not start")


def started_on_any_port(stack: ExitStack, command: Sequence[str]) -> tuple[int, int]:
    """Start a program that prints its port as JSON; return the port and the process id."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    stack.callback(process.wait)
    stack.callback(process.kill)
    assert process.stdout is not None
    return json.loads(process.stdout.readline())["port"], process.pid


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        found: int = probe.getsockname()[1]
        return found
