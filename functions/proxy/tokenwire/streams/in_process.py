"""Streams that live in the memory of the process that runs them, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

from ..stores.contract import Writer
from ..stores.exceptions import StoreError
from ..stores.health import Health
from ..stores.records import End, Meta
from .copies import NoCopy
from .ending import cancellable
from .naming import LocalNaming
from .policy import OnDisconnect
from .stream import Stream
from .tails import Tails


class InProcess:
    """As ``Persistence``: each stream's tail is its only log, so nothing is written twice.

    Args:
        tails: Makes tails.
    """

    is_shared = False

    def __init__(self, tails: Tails) -> None:
        self.health = Health()
        self.names = LocalNaming()
        self._tails = tails

    @property
    def followed(self) -> Iterator[Stream]:
        """As ``Persistence.followed``: none."""
        return iter(())

    def new_stream(self, meta: Meta, policy: OnDisconnect, writer: Writer | None) -> Stream:
        """As ``Persistence.new_stream``."""
        tail = self._tails.new(meta.owner)
        return cancellable(meta, tail, tail, policy, NoCopy())

    async def find(self, stream_id: str) -> Stream | None:
        """As ``Persistence.find``: there is no other process."""
        return None

    async def owner_of(self, stream_id: str) -> str | None:
        """As ``Persistence.owner_of``: there is no other process."""
        return None

    async def close(self, stream_id: str, end: End) -> End:
        """As ``Persistence.close``: there is no other process."""
        return end

    async def renew(self, stream_id: str, viewer: str, seconds: float) -> bool:
        """As ``Persistence.renew``: every viewer is connected to this process."""
        return False

    async def leave(self, stream_id: str, viewer: str) -> None:
        """As ``Persistence.leave``: every viewer is connected to this process."""

    async def reserve(self, meta: Meta) -> None:
        """As ``Persistence.reserve``."""
        raise _not_shared()

    async def adopt(self, stream_id: str) -> Writer:
        """As ``Persistence.adopt``."""
        raise _not_shared()

    async def aclose(self) -> None:
        """Nothing to stop."""


def _not_shared() -> StoreError:
    return StoreError("No store is shared with other processes: set TOKENWIRE_STORE.")
