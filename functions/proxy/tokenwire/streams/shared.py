"""Streams that other processes read, through a store that all of them share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from ..stores.contract import Writer, new_token
from ..stores.exceptions import Missing
from ..stores.health import Health
from ..stores.records import End, Meta
from .copies import StoredCopy
from .ending import cancellable, end_stream
from .following import Following
from .keeper import Keeper
from .limits import Durability
from .naming import StoreNaming
from .policy import OnDisconnect
from .stream import Stream
from .tails import Tails

_ACCEPT_END = 1.0
"""Seconds for which viewers here wait for the store to accept an end: it may have another."""


class Shared:
    """As ``Persistence``: a keeper copies each stream into the store, a feed reads it from there.

    Args:
        durability: The store, and how it is used.
        tails: Makes tails.
    """

    is_shared = True

    def __init__(self, durability: Durability, tails: Tails) -> None:
        self.health = Health()
        self.names = StoreNaming(durability.store)
        self._store = durability.store
        self._durability = durability
        self._tails = tails
        self._following = Following(durability.store, durability.lease, self.health, tails.new)

    @property
    def followed(self) -> Iterator[Stream]:
        """As ``Persistence.followed``."""
        return iter(self._following)

    def new_stream(self, meta: Meta, policy: OnDisconnect, writer: Writer | None) -> Stream:
        """As ``Persistence.new_stream``."""
        if self._durability.first == "send":
            intake = public = self._tails.new(meta.owner, self._end_wait)
        else:
            intake, public = self._tails.intake(meta.owner), self._tails.new(meta.owner)
        keeper = Keeper(
            self._store,
            meta,
            intake,
            lease=self._durability.lease,
            health=self.health,
            # ``stream`` is made below, and these are called later.
            on_end=lambda end, at: end_stream(stream, end, at),
            public=None if public is intake else public,
            writer=writer,
            names=partial(self.names.of, meta.id),
        )
        stream = cancellable(meta, public, intake, policy, StoredCopy(keeper, meta.id))
        return stream

    async def find(self, stream_id: str) -> Stream | None:
        """As ``Persistence.find``."""
        return await self._following.find(stream_id)

    async def owner_of(self, stream_id: str) -> str | None:
        """As ``Persistence.owner_of``."""
        follower = await self._store.open(stream_id)
        return None if follower is None else follower.meta.owner

    async def close(self, stream_id: str, end: End) -> End:
        """As ``Persistence.close``."""
        with suppress(Missing):
            _, end = await self._store.close(stream_id, end)
        return end

    async def renew(self, stream_id: str, viewer: str, seconds: float) -> bool:
        """As ``Persistence.renew``."""
        await self._store.renew(stream_id, viewer, seconds)
        return True

    async def leave(self, stream_id: str, viewer: str) -> None:
        """As ``Persistence.leave``."""
        await self._store.leave(stream_id, viewer)

    async def reserve(self, meta: Meta) -> None:
        """As ``Persistence.reserve``."""
        await self._store.reserve(meta)

    async def adopt(self, stream_id: str) -> Writer:
        """As ``Persistence.adopt``."""
        return await self._store.adopt(stream_id, new_token())

    async def aclose(self) -> None:
        """As ``Persistence.aclose``."""
        await self._following.aclose()

    def _end_wait(self) -> float:
        return 0.0 if self.health.failing else _ACCEPT_END
