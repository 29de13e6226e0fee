"""The shelf: streams that are over, kept for a while, and the account of all bytes held."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

from .stream import Stream


class Shelf:
    """Keeps finished streams for their retention, or until there is no room.

    Args:
        most: Bytes that all streams of the process may hold.
        retention: Seconds.
        on_forget: Told of each stream that is no longer held.
    """

    def __init__(self, most: int, retention: float, on_forget: Callable[[Stream], None]) -> None:
        self._most = most
        self._retention = retention
        self._on_forget = on_forget
        self._streams: dict[str, Stream] = {}
        self._held = 0

    def __iter__(self) -> Iterator[Stream]:
        return iter(self._streams.values())

    def get(self, stream_id: str) -> Stream | None:
        """The stream of that id, if it is here."""
        return self._streams.get(stream_id)

    def put(self, stream: Stream) -> None:
        """Keep a stream that is over."""
        self._streams[stream.meta.id] = stream
        self._arm(stream)

    def charge(self, size: int) -> bool:
        """Keep the account of held bytes; past the limit, forget the oldest finished first."""
        self._held += size
        while self._held > self._most:
            idle = next((s for s in self if not s.tail.readers), None)
            if idle is None:
                return False
            self._forget(idle)
        return True

    def close(self) -> None:
        """Stop every timer."""
        for stream in self:
            _disarm(stream)

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
        self._on_forget(stream)


def _disarm(stream: Stream) -> None:
    if stream.timer is not None:
        stream.timer.cancel()
