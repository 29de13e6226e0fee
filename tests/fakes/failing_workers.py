"""``python -m tests.fakes.failing_workers HOW``: two workers that fail; their exit status."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from socket import socket

from tokenwire.server.listeners import Listeners
from tokenwire.server.workers import Workers


def _cannot_start(_worker: int, _sockets: Sequence[socket]) -> None:
    sys.exit(3)


def _does_not_stop(worker: int, _sockets: Sequence[socket]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if worker == 1:
        os.kill(os.getppid(), signal.SIGTERM)
    time.sleep(60)


if __name__ == "__main__":
    run = {"start": _cannot_start, "stop": _does_not_stop}[sys.argv[1]]
    sys.exit(Workers(Listeners("127.0.0.1", 0, 2), run, end_seconds=0.3).serve())
