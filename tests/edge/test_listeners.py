"""The sockets of several processes on one port."""

from __future__ import annotations

import socket
import sys

import pytest

from tokenwire.server.listeners import Listeners

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="others do not spread connections")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_each_process_has_its_socket_on_the_same_port(host: str) -> None:
    """All listen; connections are spread among them."""
    listeners = Listeners(host, 0, 3)
    own = listeners.only(1)
    assert len(listeners) == 3
    assert [each.getsockname()[1] for each in own] == [listeners.port]
    with socket.create_connection((host, listeners.port), timeout=5):
        own[0].accept()[0].close()
    listeners.close()


def test_connections_wait_until_a_process_accepts_them() -> None:
    """The address is printed before the app has started: a connection to it is not refused."""
    listeners = Listeners("127.0.0.1", 0, 1)
    with socket.create_connection(("127.0.0.1", listeners.port), timeout=5) as client:
        client.sendall(b"GET")
        accepted, _ = listeners.sockets(0)[0].accept()
        with accepted:
            assert accepted.recv(3) == b"GET"
    listeners.close()


def test_sockets_of_other_processes_are_closed_in_a_worker() -> None:
    """Or connections to a process that has ended would wait in the others."""
    listeners = Listeners("127.0.0.1", 0, 2)
    first, second = listeners.sockets(0), listeners.sockets(1)
    assert listeners.only(0) == first
    assert first[0].fileno() >= 0
    assert second[0].fileno() == -1
    listeners.close()
    assert first[0].fileno() == -1


def test_processes_share_a_socket_where_connections_are_not_spread() -> None:
    """The one that wakes first takes a connection."""
    listeners = Listeners("127.0.0.1", 0, 2, spreads=False)
    assert listeners.sockets(0) == listeners.sockets(1)
    assert listeners.only(1)[0].fileno() >= 0
    listeners.close()


def test_port_of_another_server_with_workers_is_refused() -> None:
    """``SO_REUSEPORT`` alone would let both listen, and share their connections."""
    listeners = Listeners("127.0.0.1", 0, 2)
    with pytest.raises(OSError, match="in use"):
        Listeners("127.0.0.1", listeners.port, 2)
    listeners.close()
