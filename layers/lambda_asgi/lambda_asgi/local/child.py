"""An environment's processes: one command, in a process group of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

LOOK = 0.02
"""Seconds between two looks at whether a process group is empty."""


LAST_OUTPUT_SECONDS = 1.0
"""Seconds that the end of the output may take after the first process has ended."""


class _Output(asyncio.Protocol):
    """Receives what the processes write."""

    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take
        self.closed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self._take(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()


class Child:
    """A running command.

    Args:
        process: Its first process, the leader of its group.
        output: What its output goes to.
        pipe: The pipe between them.
    """

    def __init__(
        self, process: asyncio.subprocess.Process, output: _Output, pipe: asyncio.BaseTransport
    ) -> None:
        self._process = process
        self._output = output
        self._pipe = pipe
        self.exited = asyncio.create_task(process.wait())

    @classmethod
    async def start(
        cls,
        command: tuple[str, ...],
        environ: Mapping[str, str],
        directory: Path | None,
        take: Callable[[bytes], None],
    ) -> Child:
        """Start a command; ``take`` gets the bytes of its stdout and stderr.

        Raises:
            OSError: There is no such command, or it is not executable.
        """
        ours, theirs = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                env=environ,
                cwd=directory,
                stdout=theirs,
                stderr=theirs,
                start_new_session=True,
            )
        except OSError:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        loop = asyncio.get_running_loop()
        pipe, output = await loop.connect_read_pipe(lambda: _Output(take), os.fdopen(ours, "rb", 0))
        return cls(process, output, pipe)

    @property
    def is_running(self) -> bool:
        """Whether the first process is."""
        return not self.exited.done()

    @property
    def exit_text(self) -> str:
        """How the first process ended."""
        code = self._process.returncode
        what = f"signal {-code}" if code is not None and code < 0 else f"exit status {code}"
        return f"Runtime exited with error: {what}"

    def kill(self) -> None:
        """Stop every process of the group at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    async def stop(self, seconds: float) -> None:
        """Send SIGTERM to the first process; kill what is left of the group after that time."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while self._has_processes() and loop.time() < end:  # noqa: ASYNC110
            # The system has no event for the end of a process group.
            await asyncio.sleep(LOOK)
        self.kill()

    async def flush(self) -> None:
        """Take the output that has been written so far; all of it, once the group has ended."""
        if self.is_running:
            # Two turns of the event loop: one finds the pipe readable, one reads it.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return
        try:
            await asyncio.wait_for(self._output.closed.wait(), LAST_OUTPUT_SECONDS)
        except TimeoutError:
            # A process that left the group holds the pipe open.
            self._pipe.close()

    def memory_mb(self) -> int | None:
        """Resident memory of the processes in MB; None where the system does not tell."""
        found = [resident_mb(pid) for pid in tree(self._process.pid)]
        known = [megabytes for megabytes in found if megabytes is not None]
        return sum(known) if known else None

    def _has_processes(self) -> bool:
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return False
        return True


def tree(pid: int) -> Iterator[int]:
    """A process and its descendants, from /proc; the process alone where there is no /proc."""
    yield pid
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return
    for child in children.split():
        yield from tree(int(child))


def resident_mb(pid: int) -> int | None:
    """Resident memory of a process in MB, from /proc; None where there is no such thing."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    lines = (line.split() for line in status.splitlines())
    return next((int(line[1]) // 1024 for line in lines if line[:1] == ["VmRSS:"]), None)
