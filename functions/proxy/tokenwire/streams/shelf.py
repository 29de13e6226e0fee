"""The shelf: streams that are over, kept for a while, and the account of all bytes held."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator

from .stream import Stream

OVERHEAD = 1000
"""Bytes that a finished stream is charged beside its blocks, so that empty ones are bounded too."""
_log = logging.getLogger("tokenwire.streams")


class Shelf:
    """Keeps finished streams for their retention, or until there is no room.

    Args:
        most: Bytes that all streams and requests of the process may hold.
        most_each: Bytes of that which one owner may have.
        unlimited: Owners that may have all of it.
        retention: Seconds.
        on_forget: Called with each stream that is no longer held. An error in it is logged: the
            caller of ``charge`` is a stream that has nothing to do with the one that goes.
    """

    def __init__(
        self,
        most: int,
        retention: float,
        on_forget: Callable[[Stream], None],
        most_each: int | None = None,
        unlimited: frozenset[str] = frozenset(),
    ) -> None:
        self._most = most
        self._most_each = most if most_each is None else most_each
        self._unlimited = unlimited | {""}
        self._owners: dict[str, int] = {}
        self._retention = retention
        self._on_forget = on_forget
        self._streams: dict[str, Stream] = {}
        self._held = 0
        self._is_evicting = False

    def __iter__(self) -> Iterator[Stream]:
        return iter(self._streams.values())

    @property
    def held(self) -> int:
        """Bytes that are charged at present."""
        return self._held

    def get(self, stream_id: str) -> Stream | None:
        """The stream of that id, if it is here."""
        return self._streams.get(stream_id)

    def put(self, stream: Stream) -> None:
        """Keep a stream that is over."""
        self._streams[stream.meta.id] = stream
        self._arm(stream)
        self.charge(OVERHEAD, stream.meta.owner)

    def charge(self, size: int, owner: str = "") -> bool:
        """Keep the account of held bytes; past a limit, forget the oldest finished first.

        Args:
            size: Bytes that are held from now on; negative for bytes that were given back.
            owner: Whose they are. Past an owner's limit only streams of that owner are forgotten.

        Returns:
            Whether what is held is within the limits.
        """
        self._held += size
        self._note(owner, size)
        if not self._is_evicting:
            # A stream that is forgotten gives its bytes back by this same method.
            self._is_evicting = True
            try:
                self._evict(owner)
            finally:
                self._is_evicting = False
        return self._held <= self._most and not self._is_over(owner)

    def close(self) -> None:
        """Stop every timer."""
        for stream in self:
            _disarm(stream)

    def _note(self, owner: str, size: int) -> None:
        if size and owner not in self._unlimited:
            self._owners[owner] = self._owners.get(owner, 0) + size
            if not self._owners[owner]:
                del self._owners[owner]

    def _is_over(self, owner: str) -> bool:
        return self._owners.get(owner, 0) > self._most_each

    def _evict(self, owner: str) -> None:
        while self._held > self._most and self._forget_oldest(self):
            pass
        while self._is_over(owner):
            if not self._forget_oldest(s for s in self if s.meta.owner == owner):
                return

    def _forget_oldest(self, streams: Iterable[Stream]) -> bool:
        idle = next((s for s in streams if not s.tail.readers), None)
        if idle is not None:
            self._forget(idle)
        return idle is not None

    def _arm(self, stream: Stream) -> None:
        loop = asyncio.get_running_loop()
        stream.timer = loop.call_later(self._retention, self._expire, stream)

    def _expire(self, stream: Stream) -> None:
        if stream.tail.readers:
            self._arm(stream)
        else:
            self._forget(stream)

    def _forget(self, stream: Stream) -> None:
        del self._streams[stream.meta.id]
        _disarm(stream)
        stream.tail.drop()
        stream.intake.drop()
        self.charge(-OVERHEAD, stream.meta.owner)
        try:
            self._on_forget(stream)
        except Exception as error:
            _log.error("forgetting a stream failed: %s", type(error).__name__)


def _disarm(stream: Stream) -> None:
    if stream.timer is not None:
        stream.timer.cancel()
