"""The listening sockets of several processes on one port.

On Linux each process has sockets of its own (``SO_REUSEPORT``), among which the kernel spreads new
connections evenly. With one socket for all, the process that wakes first takes most of a burst,
and streams stay where they are for minutes. The parent process keeps all sockets open: connections
that wait for a process that has died are taken by the one that replaces it.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

_BACKLOG = 2048
"""Connections that wait to be accepted, at most; as many as for uvicorn."""
_SPREADS = sys.platform == "linux"
"""Whether the kernel spreads connections; elsewhere the last socket may get all of them."""


class Listeners:
    """Listening sockets for each process.

    Connections wait from the first moment until a process accepts them: an address that was
    printed refuses none.

    Args:
        host: A name or an address.
        port: 0 for any free one.
        count: How many processes there are.
        spreads: Whether the kernel spreads connections among sockets of one port.

    ``port`` is where they listen; that of the first address, if the host has several.

    Raises:
        OSError: The address cannot be used.
    """

    def __init__(self, host: str, port: int, count: int, *, spreads: bool = _SPREADS) -> None:
        self._spreads = spreads
        self._sockets: list[list[socket.socket]] = [[] for _ in range(count)]
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, address in dict.fromkeys(found):
            self._bind(family, address)
        for each in self._all():
            each.listen(_BACKLOG)
        self.port: int = self._sockets[0][0].getsockname()[1]

    def __len__(self) -> int:
        return len(self._sockets)

    def sockets(self, number: int) -> Sequence[socket.socket]:
        """Return the sockets of one process."""
        return self._sockets[number]

    def only(self, number: int) -> Sequence[socket.socket]:
        """Close the sockets of the other processes; return those of this one."""
        own = self.sockets(number)
        for each in self._all():
            if each not in own:
                each.close()
        return own

    def close(self) -> None:
        """Close all sockets here."""
        for each in self._all():
            each.close()

    def _all(self) -> Iterator[socket.socket]:
        return chain.from_iterable(self._sockets)

    def _bind(self, family: int, address: tuple[Any, ...]) -> None:
        # Without SO_REUSEPORT: it fails where another server listens, even one that has set it.
        first = _bound(family, address)
        if not self._spreads:
            for sockets in self._sockets:
                sockets.append(first)
            return
        address = first.getsockname()
        first.close()
        for sockets in self._sockets:
            sockets.append(_bound(family, address, socket.SO_REUSEPORT))


def _bound(family: int, address: tuple[Any, ...], *options: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        for option in (socket.SO_REUSEADDR, *options):
            made.setsockopt(socket.SOL_SOCKET, option, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
    except OSError:
        made.close()
        raise
    return made
