"""Ports for servers whose port must be given."""

from __future__ import annotations

import socket


def reserved_port() -> int:
    """Return a port that no other process is given while this one runs.

    The socket stays bound and never listens, so that the kernel gives its port to no other process,
    and a server that sets ``SO_REUSEADDR`` (all of those here do) can listen there, and again after
    it was killed. A port that is merely free now may be another worker's a moment later.
    """
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port: int = held.getsockname()[1]
    held.detach()  # never closed: the process's end is the reservation's
    return port
