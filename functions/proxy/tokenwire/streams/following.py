"""Streams that run in another process, read from the store while they are watched here."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial

from ..dialects.protocol import as_exception
from ..stores.contract import Follower, Store
from ..stores.health import Health
from .feed import EXPIRED, Feed
from .stream import Stream
from .tail import Tail
from .viewers import FollowerViewers

_CATCH_UP = 2.0
"""Seconds after which a stream is shown even if it grows as fast as it is read."""
_LINGER = 10.0
"""Seconds for which a stream is followed without viewers: time for one to reconnect."""


class Following:
    """The feeds of this process, one for each stream.

    Args:
        store: The store.
        lease: Seconds without a sign of life after which a producer counts as dead.
        health: Counts successes and failures of the store.
        new_tail: Makes a tail within the limits of the process.
    """

    def __init__(
        self, store: Store, lease: float, health: Health, new_tail: Callable[[], Tail]
    ) -> None:
        self._store = store
        self._lease = lease
        self._health = health
        self._new_tail = new_tail
        self._streams: dict[str, Stream] = {}
        self._opening: dict[str, asyncio.Task[Stream | None]] = {}

    def __iter__(self) -> Iterator[Stream]:
        return iter(self._streams.values())

    async def find(self, stream_id: str) -> Stream | None:
        """Return the stream, with all records that the store has; None if it has none.

        Raises:
            StoreError: The store fails.
            UpstreamError: The stream could not be read: the store fails, or there is no room.
        """
        found = self._streams.get(stream_id)
        if found is not None and found.tail.broken is None:
            self._restart_timer(found)
            return found
        if found is not None:
            self._forget(found)
        task = self._opening.get(stream_id)
        if task is None:
            task = self._opening[stream_id] = asyncio.create_task(self._open(stream_id))
            task.add_done_callback(lambda _: self._opening.pop(stream_id, None))
        return await asyncio.shield(task)

    async def aclose(self) -> None:
        """Stop reading."""
        for stream in list(self):
            self._forget(stream)

    async def _open(self, stream_id: str) -> Stream | None:
        follower = await self._store.open(stream_id)
        return None if follower is None else await self._follow(follower)

    async def _follow(self, follower: Follower) -> Stream | None:
        meta, tail = follower.meta, self._new_tail()
        reopen = partial(self._store.open, meta.id)
        feed = Feed(follower, tail, self._lease, self._health, reopen)
        # Not one name for the process: restored from a snapshot, many would have the same.
        viewer = f"p_{secrets.token_urlsafe(9)}"
        viewers = FollowerViewers(self._store, meta.id, viewer, self._lease)
        stream = Stream(meta, tail, tail, viewers, is_ours=False)
        stream.task = asyncio.create_task(feed.run(), name=f"feed {meta.id}")
        await _caught_up(feed, tail)
        if tail.broken is not None:
            tail.drop()
            if tail.broken == EXPIRED:
                return None
            raise as_exception(tail.broken)
        self._streams[meta.id] = stream
        stream.task.add_done_callback(lambda _: self._ended(stream))
        self._restart_timer(stream)
        return stream

    def _ended(self, stream: Stream) -> None:
        stream.viewers.close()
        if stream.tail.broken is not None and self._streams.get(stream.meta.id) is stream:
            # The present viewers get the failure; the next one reads again.
            self._forget(stream)

    def _restart_timer(self, stream: Stream) -> None:
        """Start again to measure the time without viewers."""
        stream.stop_timer()
        stream.timer = asyncio.get_running_loop().call_later(_LINGER, self._lapse, stream)

    def _lapse(self, stream: Stream) -> None:
        if stream.tail.readers:
            self._restart_timer(stream)
        else:
            self._forget(stream)

    def _forget(self, stream: Stream) -> None:
        self._streams.pop(stream.meta.id, None)
        stream.stop_timer()
        if stream.task is not None:
            stream.task.cancel()
        stream.viewers.close()
        stream.tail.retire()


async def _caught_up(feed: Feed, tail: Tail) -> None:
    """Wait for all records that exist; but not for the end of a stream that never pauses."""
    while not feed.caught_up.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(feed.caught_up.wait(), _CATCH_UP)
        if tail.next > 1:
            return
