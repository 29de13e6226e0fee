"""Retention of ended streams, and the accounts of all bytes held."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from .stream import Stream

OVERHEAD = 1000
"""Bytes that an ended stream is charged beside its blocks, so that empty ones are bounded too."""
_log = logging.getLogger("tokenwire.streams")


class Retention:
    """Hold ended streams for the retention time, or until their memory is needed.

    ``held`` is the number of bytes that are charged at present.

    Args:
        limit: Bytes that all streams and requests of the process may hold.
        retention: Seconds for which an ended stream is held.
        on_forget: Called with each stream that is no longer held. An error in it is logged: the
            caller of ``charge`` is another stream, and must not fail because of it.
        owner_limit: Bytes that one owner may hold; by default all.
        unlimited: Owners without a limit of their own.
    """

    def __init__(
        self,
        limit: int,
        retention: float,
        on_forget: Callable[[Stream], None],
        owner_limit: int | None = None,
        unlimited: frozenset[str] = frozenset(),
    ) -> None:
        self._limit = limit
        self._owner_limit = limit if owner_limit is None else owner_limit
        self._unlimited = unlimited | {""}
        self._owners: dict[str, int] = {}
        self._retention = retention
        self._on_forget = on_forget
        self._streams: dict[str, Stream] = {}
        self.held = 0
        self._is_evicting = False

    def __iter__(self) -> Iterator[Stream]:
        return iter(self._streams.values())

    def get(self, stream_id: str) -> Stream | None:
        """Return the stream of that id; None if it is not held."""
        return self._streams.get(stream_id)

    def add(self, stream: Stream) -> None:
        """Hold a stream that has ended."""
        self._streams[stream.meta.id] = stream
        self._start_timer(stream)
        self.charge(OVERHEAD, stream.meta.owner)

    def charge(self, size: int, owner: str = "") -> bool:
        """Add to the held bytes; past a limit, forget the streams that ended first.

        Args:
            size: Bytes held from now on; negative for bytes that were released.
            owner: The caller they belong to. Past an owner's limit only streams of that owner are
                forgotten.

        Returns:
            Whether the held bytes are within the limits.
        """
        self.held += size
        if size and owner not in self._unlimited:
            self._charge_owner(owner, size)
        if self.held <= self._limit and self._owners.get(owner, 0) <= self._owner_limit:
            return True  # as nearly always, for every block
        if not self._is_evicting:
            # A stream that is forgotten releases its bytes through this method.
            self._is_evicting = True
            try:
                self._evict(owner)
            finally:
                self._is_evicting = False
        return self.held <= self._limit and not self._exceeds_limit(owner)

    def account(self, owner: str) -> Callable[[int], bool]:
        """Return ``charge`` for one owner."""
        return partial(self.charge, owner=owner)

    def close(self) -> None:
        """Stop every timer."""
        for stream in self:
            stream.stop_timer()

    def _charge_owner(self, owner: str, size: int) -> None:
        self._owners[owner] = self._owners.get(owner, 0) + size
        if not self._owners[owner]:
            del self._owners[owner]

    def _exceeds_limit(self, owner: str) -> bool:
        return self._owners.get(owner, 0) > self._owner_limit

    def _evict(self, owner: str) -> None:
        while self.held > self._limit and self._forget_oldest(self):
            pass
        while self._exceeds_limit(owner):
            if not self._forget_oldest(s for s in self if s.meta.owner == owner):
                return

    def _forget_oldest(self, streams: Iterable[Stream]) -> bool:
        unread = next((s for s in streams if not s.tail.readers), None)
        if unread is not None:
            self._forget(unread)
        return unread is not None

    def _start_timer(self, stream: Stream) -> None:
        loop = asyncio.get_running_loop()
        stream.timer = loop.call_later(self._retention, self._expire, stream)

    def _expire(self, stream: Stream) -> None:
        if stream.tail.readers:
            self._start_timer(stream)
        else:
            self._forget(stream)

    def _forget(self, stream: Stream) -> None:
        del self._streams[stream.meta.id]
        stream.stop_timer()
        stream.tail.drop()
        stream.intake.drop()
        self.charge(-OVERHEAD, stream.meta.owner)
        try:
            self._on_forget(stream)
        except Exception as error:
            _log.error("forgetting a stream failed: %s", type(error).__name__)
