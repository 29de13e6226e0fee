"""The requests of recent responses, for clients that read a response back by its id."""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from ..dialects.protocol import JSON


class HeldRequests:
    """Request bodies by stream id, in this process. The oldest are dropped first.

    Args:
        total: Maximum size of all bodies together, in bytes.
        each: Maximum size of one, in bytes; a larger one is not held.
    """

    def __init__(self, total: int = 8 * 1024 * 1024, each: int = 256 * 1024) -> None:
        self._total = total
        self._each = each
        self._bodies: OrderedDict[str, bytes] = OrderedDict()
        self.size = 0

    def keep(self, stream_id: str, body: JSON) -> None:
        """Hold a body, unless it is too large."""
        encoded = msgspec.json.encode(body)
        if len(encoded) > self._each:
            return
        self.size += len(encoded) - len(self._bodies.pop(stream_id, b""))
        self._bodies[stream_id] = encoded
        while self.size > self._total:
            _, oldest = self._bodies.popitem(last=False)
            self.size -= len(oldest)

    def get(self, stream_id: str) -> JSON | None:
        """Return the body; None if it is not held."""
        encoded = self._bodies.get(stream_id)
        return None if encoded is None else msgspec.json.decode(encoded, type=dict)
