"""Callers, and what a way of authenticating them has to provide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a request. ``id`` can be logged: it is the head of a hash, never a key."""

    id: str


ANONYMOUS = Caller("anonymous")
TICKET_HOLDER = Caller("")
"""A client with a ticket instead of a key. It owns no streams."""


class Authenticator(Protocol):
    """Decides who the caller of a request is, from its ASGI scope alone."""

    @property
    def description(self) -> str:
        """One sentence on who may call, for the operator, printed at the start."""

    @property
    def local_only(self) -> bool:
        """Whether only this machine may call; the server then refuses to listen beyond it."""

    async def __call__(self, scope: Mapping[str, Any]) -> Caller:
        """Return the caller.

        Raises:
            ClientError: The caller is refused (401 or 403).
        """

    async def knows(self, caller_id: str) -> bool:
        """Return whether a caller with this id would still be accepted.

        Tickets are checked with it: they must not outlive the key of the caller who shared them.
        """


def id_of(identity: bytes) -> str:
    """Return twelve hexadecimal digits that stand for a key or a principal in ids and logs."""
    return sha256(identity).hexdigest()[:12]
