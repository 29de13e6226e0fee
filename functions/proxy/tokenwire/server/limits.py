"""Limits on clients, and which connection is closed at the limit."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

_UNLIMITED = 1_000_000
_SPARE_FILES = 64
_FILES_PER_CONNECTION = 2
"""A stream has a connection to its client and one to its provider."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits on one client.

    Args:
        head: Bytes of a request's head, or of another part that is buffered.
        head_seconds: From the first byte of a request, or the connection, to the end of the head.
        body_seconds: From the end of the head to the end of the body.
        stuck_seconds: For which a client may accept nothing of what is sent to it, also once its
            connection is closed.
        connections: Open at once, for all clients together.
    """

    head: int = 64 * 1024
    head_seconds: float = 10.0
    body_seconds: float = 60.0
    stuck_seconds: float = 30.0
    connections: int = 4096


class Connection(Protocol):
    """The part of a connection that is used here."""

    @property
    def transport(self) -> asyncio.Transport:
        """Its transport."""

    @property
    def is_answering(self) -> bool:
        """Whether a request has arrived completely and its response has not been sent."""


class Waiting:
    """Connections whose request has not arrived completely, oldest first.

    At the limit the one that has waited longest is closed, so that idle and slow clients cannot
    keep others out. If all of them are receiving a response, the newest is closed.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._connections: dict[Connection, None] = {}

    def enter(self, connection: Connection) -> None:
        """The connection waits for a request from now on."""
        self._connections.pop(connection, None)
        self._connections[connection] = None

    def leave(self, connection: Connection) -> None:
        """Its request has arrived, or it is closed."""
        self._connections.pop(connection, None)

    def make_room(self, connections: int) -> None:
        """Close one, if so many are open that the newest is one too many."""
        if connections > self._limit:
            oldest = next(c for c in self._connections if not c.is_answering)
            self.leave(oldest)
            oldest.transport.abort()


def possible_connections() -> int:
    """Raise the limit on open files as far as possible; return how many connections it allows."""
    try:
        import resource
    except ImportError:  # pragma: no cover - Windows, which has no such limit
        return _UNLIMITED
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    if soft == resource.RLIM_INFINITY:
        return _UNLIMITED
    return max(1, (soft - _SPARE_FILES) // _FILES_PER_CONNECTION)
