"""Admission of new streams, within the limits of the process and of each caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ..errors import ProxyError
from .ending import GOING_AWAY
from .limits import Limits
from .stream import Stream


class Running:
    """The streams that run here.

    Args:
        limits: How many there may be.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._streams: dict[str, Stream] = {}
        self._owners: Counter[str] = Counter()
        self.closing = False

    def __iter__(self) -> Iterator[Stream]:
        return iter(self._streams.values())

    def __len__(self) -> int:
        return len(self._streams)

    def get(self, stream_id: str) -> Stream | None:
        """Return the stream of that id; None if it does not run here."""
        return self._streams.get(stream_id)

    def check(self, owner: str, *, has_memory: bool) -> None:
        """Check that one more stream may start.

        Args:
            owner: The caller it would belong to.
            has_memory: Whether there is memory for it.

        Raises:
            ProxyError: ``overloaded``, 503 (process limit) or 429 (this caller's limit), or
                ``shutting_down``, 503. All retryable.
        """
        if self.closing:
            raise ProxyError(GOING_AWAY.message, code=GOING_AWAY.code, status=503, retryable=True)
        if len(self) >= self._limits.streams or not has_memory:
            raise _overloaded("The server has as many streams as it can hold.", 503)
        is_limited = owner not in self._limits.unlimited
        if is_limited and self._owners[owner] >= self._limits.owner_streams:
            raise _overloaded("This caller has as many streams as one may have.", 429)

    def add(self, stream: Stream) -> None:
        """Count a stream that starts."""
        self._streams[stream.meta.id] = stream
        self._owners[stream.meta.owner] += 1

    def remove(self, stream: Stream) -> None:
        """Count a stream that has ended."""
        owner = stream.meta.owner
        del self._streams[stream.meta.id]
        self._owners[owner] -= 1
        if not self._owners[owner]:
            del self._owners[owner]


def _overloaded(message: str, status: int) -> ProxyError:
    return ProxyError(message, code="overloaded", status=status, retryable=True, retry_after=1.0)
