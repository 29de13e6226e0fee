"""Leases of viewers whose disconnects the server cannot detect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

from ..stores.exceptions import Fenced, Missing, StoreError, TooManyViewers
from .ids import not_found
from .persistence import Persistence
from .stream import Stream


class ViewerLeases:
    """Grant, renew and end the leases of viewers. Without one, a stream's policy is applied.

    Args:
        persistence: Where the leases are kept.
        here: Returns the stream of an id if this process holds it.
        owner_of: As ``Hub.owner_of``.
    """

    def __init__(
        self,
        persistence: Persistence,
        here: Callable[[str], Stream | None],
        owner_of: Callable[[str], Awaitable[str]],
    ) -> None:
        self._persistence = persistence
        self._here = here
        self._owner_of = owner_of

    async def grant(self, stream: Stream, viewer: str, seconds: float) -> bool:
        """Count a viewer whose disconnect cannot be detected, for this many seconds.

        Returns:
            Whether the store counts it. False where the store is not shared, has no room for
            another viewer, no longer has the stream, or fails.
        """
        if stream.end is not None:
            return False
        try:
            return await self._persistence.renew(stream.meta.id, viewer, seconds)
        except (TooManyViewers, Fenced, Missing):
            return False  # the store works: it refuses this viewer or this stream
        except StoreError as error:
            self._persistence.health.failed(error)
            return False

    async def renew(self, stream_id: str, owner: str | None, viewer: str, seconds: float) -> None:
        """Renew the lease of a viewer.

        Raises:
            ClientError: 404 ``stream_not_found``.
            TooManyViewers: 100 other viewers hold leases (429, ``overloaded``).
            Missing, StoreError: The store has lost the stream, or fails.
        """
        await self._check_owner(stream_id, owner)
        found = self._here(stream_id)
        if found is None or found.end is None:
            with suppress(Fenced):  # viewers of a stream that is over need no lease
                await self._persistence.renew(stream_id, viewer, seconds)

    async def end(self, stream_id: str, owner: str | None, viewer: str) -> None:
        """Give up the lease of a viewer.

        Raises:
            ClientError: 404 ``stream_not_found``.
            StoreError: The store fails.
        """
        await self._check_owner(stream_id, owner)
        await self._persistence.leave(stream_id, viewer)

    async def _check_owner(self, stream_id: str, owner: str | None) -> None:
        if owner not in (None, await self._owner_of(stream_id)):
            raise not_found()
