"""The part of a hub that depends on whether other processes share its store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ..stores.contract import Writer
from ..stores.health import Health
from ..stores.records import End, Meta
from .in_process import InProcess
from .limits import Durability
from .naming import Naming
from .policy import OnDisconnect
from .shared import Shared
from .stream import Stream
from .tails import Tails


class Persistence(Protocol):
    """Creates streams, and finds those of other processes."""

    @property
    def is_shared(self) -> bool:
        """Whether other processes read the streams of this one."""

    @property
    def health(self) -> Health:
        """Whether the store works."""

    @property
    def names(self) -> Naming:
        """The names of streams."""

    @property
    def followed(self) -> Iterator[Stream]:
        """The streams of other processes that are read here."""

    def new_stream(self, meta: Meta, policy: OnDisconnect, writer: Writer | None) -> Stream:
        """Make a stream that will run here.

        Args:
            meta: Its first record.
            policy: Its policy on disconnects.
            writer: The producer's access to its log, where that is in the store already.
        """

    async def find(self, stream_id: str) -> Stream | None:
        """Follow a stream of another process; None if there is none of that id.

        Raises:
            StoreError: The store fails.
        """

    async def owner_of(self, stream_id: str) -> str | None:
        """Return the owner of a stream of another process; None if there is none of that id.

        Raises:
            StoreError: The store fails.
        """

    async def close(self, stream_id: str, end: End) -> End:
        """End a stream of another process; return the end that counts.

        Raises:
            StoreError: The store fails.
        """

    async def renew(self, stream_id: str, viewer: str, seconds: float) -> bool:
        """Renew the lease of a viewer whose disconnect no process sees.

        Returns:
            Whether it is counted: not where every viewer is connected to this process.

        Raises:
            StoreError: As ``Store.renew``.
        """

    async def leave(self, stream_id: str, viewer: str) -> None:
        """Give up such a lease.

        Raises:
            StoreError: The store fails.
        """

    async def reserve(self, meta: Meta) -> None:
        """Make a log for another process to adopt.

        Raises:
            StoreError: As ``Store.reserve``, or no other process could.
        """

    async def adopt(self, stream_id: str) -> Writer:
        """Become the producer of a reserved log.

        Raises:
            StoreError: As ``Store.adopt``, or no other process can have reserved it.
        """

    async def aclose(self) -> None:
        """Stop following."""


def persistence(durability: Durability, tails: Tails) -> Persistence:
    """Return the persistence that fits the store."""
    if durability.store.shared:
        return Shared(durability, tails)
    return InProcess(tails)
