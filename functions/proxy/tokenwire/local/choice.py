"""Choose the store that all environments share."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from . import embedded

USUAL = ("127.0.0.1", 6379)
"""Where a Redis listens that someone has installed."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A store.

    Args:
        variables: What the function's environment variables need in addition.
        description: Where streams are kept, without any password.
    """

    variables: Mapping[str, str]
    description: str


@contextmanager
def chosen(
    environ: Mapping[str, str],
    configured: str,
    usual: tuple[str, int] = USUAL,
    find: Callable[[], str] = embedded.program,
) -> Iterator[Choice]:
    """Yield the store: a configured one, a Redis that runs, or one that runs until the end.

    Args:
        environ: The function's variables so far.
        configured: The setting ``store``.
        usual: Host and port to look for a Redis at.
        find: Returns the program of one to start.
    """
    if "TOKENWIRE_STORE" in environ or configured != "memory://":
        yield Choice({}, "in the store that the settings name")
    elif url := environ.get("REDIS_URL"):
        yield Choice({"TOKENWIRE_STORE": url}, "in the Redis of REDIS_URL")
    elif _answers(usual):
        url = "redis://{}:{}".format(*usual)
        yield Choice({"TOKENWIRE_STORE": url}, f"in {url}")
    else:
        with _own(find) as choice:
            yield choice


@contextmanager
def _own(find: Callable[[], str]) -> Iterator[Choice]:
    with ExitStack() as stack:
        try:
            url = stack.enter_context(embedded.running(find()))
        except embedded.NoServer as why:
            yield Choice({}, f"nowhere, so they cannot be resumed or stopped: {why}")
        else:
            yield Choice({"TOKENWIRE_STORE": url}, "in a server of this command, until it ends")


def _answers(address: tuple[str, int]) -> bool:
    """Whether a Redis is there that takes commands without a password."""
    try:
        with socket.create_connection(address, timeout=0.5) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
