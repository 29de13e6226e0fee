"""``python -m tokenwire`` with several workers, and which of them serves a connection."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2


@dataclass(slots=True)
class Workers:
    """The processes of one server.

    Args:
        process: The one that was started: the parent of the workers.
        port: Where they listen.
    """

    process: subprocess.Popen[bytes]
    port: int

    @property
    def pids(self) -> list[int]:
        """The workers' process ids, ascending."""
        pid = self.process.pid
        return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))

    @asynccontextmanager
    async def client(self, pid: int) -> AsyncIterator[httpx2.AsyncClient]:
        """Yield a client with one connection, to this worker."""
        limit = time.monotonic() + 30
        while time.monotonic() < limit:
            async with httpx2.AsyncClient(
                base_url=f"http://127.0.0.1:{self.port}",
                limits=httpx2.Limits(max_connections=1),
                trust_env=False,
                timeout=20,
            ) as client:
                if await self._served_by(client) == pid:
                    yield client
                    return
            await asyncio.sleep(0.02)
        raise AssertionError("this worker gets no connection")

    async def _served_by(self, client: httpx2.AsyncClient) -> int:
        try:
            response = await client.get("/healthz")
        except httpx2.ConnectError:
            return 0  # no worker listens yet
        port = response.extensions["network_stream"].get_extra_info("client_addr")[1]
        return self.process_of(port)

    def process_of(self, client_port: int) -> int:
        """Return the worker that has accepted the connection from this port; 0 for none."""
        ours, theirs = f":{self.port:04X}", f":{client_port:04X}"
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        inodes = {f[9] for f in lines if f[1].endswith(ours) and f[2].endswith(theirs)}
        sockets = {f"socket:[{inode}]" for inode in inodes}
        return next((pid for pid in self.pids if sockets & _files(pid)), 0)

    def stop(self) -> int:
        """Send SIGTERM; return the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def start(count: int, port: int, **settings: str) -> Workers:
    """Start a server with so many workers, and wait until they are there."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("TOKENWIRE_", "OPENAI_"))}
    environ |= {"TOKENWIRE_PORT": str(port), "TOKENWIRE_WORKERS": str(count), **settings}
    process = subprocess.Popen(
        [sys.executable, "-m", "tokenwire"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    workers = Workers(process, port)
    until(lambda: process.poll() is not None or len(workers.pids) == count)
    return workers


def until(condition: Callable[[], object], seconds: float = 30) -> None:
    """Wait for a condition."""
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it did not happen"
        time.sleep(0.02)


def _files(pid: int) -> set[str]:
    found = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(str(file.readlink()))
        except OSError:
            continue  # closed meanwhile
    return found
