"""``Idempotency-Key``: a POST that is sent again joins its stream, and does not pay for another.

As in draft-ietf-httpapi-idempotency-key-header: the key is the client's, and stands for one
request. One that stands for another body is refused with 422.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from time import monotonic

import msgspec

from ..dialects.protocol import ChatRequest
from ..errors import ClientError
from ..stores.contract import Named
from ..stores.records import EndReason
from ..streams.hub import Hub
from ..streams.stream import Stream

KEY_HEADER = "idempotency-key"
_MAX = 255
_PATIENCE = 2.0
"""Seconds between the claim of a key and the stream, at most, in a process that lives."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """One key, and what it stands for. Not the caller's: ids of callers come on top."""

    name: str
    fingerprint: str

    @classmethod
    def of(cls, key: str | None, path: str, request: ChatRequest) -> Idempotency | None:
        """The key, bound to the request that it was sent with; None without a key.

        Args:
            key: The value of the ``Idempotency-Key`` header.
            path: The path that the request was sent to.
            request: The request.

        Raises:
            ClientError: It is empty, or longer than 255 characters (``invalid_value``).
        """
        if key is None:
            return None
        if not 0 < len(key) <= _MAX:
            raise ClientError(
                f"Idempotency-Key must have between 1 and {_MAX} characters.",
                code="invalid_value",
                param=KEY_HEADER,
            )
        identity = [path, request.dialect, request.body]
        identity += [request.headers] if request.headers else []
        return cls(f"idempotency {key}", sha256(msgspec.json.encode(identity)).hexdigest())

    async def find(self, hub: Hub, owner: str) -> Stream | None:
        """The stream that this key has started, running or whole; not one that failed.

        Raises:
            ClientError: The key stands for another request (422, ``idempotency_key_reused``).
            StoreError: The store cannot be asked.
        """
        meant = await hub.named(self.name, owner)
        return None if meant is None else await self._started(hub, owner, meant, patience=0.0)

    async def claim(self, hub: Hub, owner: str, stream_id: str) -> Stream | None:
        """Let the key stand for a stream that is about to start.

        Returns:
            The stream that another process has started for it meanwhile; then do not.

        Raises:
            ClientError: As ``find``.
            StoreError: As ``find``: the promise of this key cannot be kept.
        """
        before: Named | None = None
        while True:
            ours = Named(stream_id, self.fingerprint)
            meant = await hub.claim(self.name, owner, ours, before)
            if meant is None:
                return None
            found = await self._started(hub, owner, meant, patience=_PATIENCE)
            if found is not None:
                return found
            before = meant

    async def _started(self, hub: Hub, owner: str, meant: Named, patience: float) -> Stream | None:
        if meant.fingerprint != self.fingerprint:
            raise ClientError(
                "This Idempotency-Key was used with another request.",
                code="idempotency_key_reused",
                status=422,
                param=KEY_HEADER,
            )
        stream = await _found(hub, owner, meant.stream, patience)
        end = None if stream is None else stream.end
        return stream if end is None or end.reason is EndReason.DONE else None


async def _found(hub: Hub, owner: str, stream_id: str, patience: float) -> Stream | None:
    """The stream; one that was claimed a moment ago may still be on its way into the store."""
    until = monotonic() + patience
    while True:
        try:
            return await hub.find(stream_id, owner)
        except ClientError:
            if monotonic() >= until:
                return None
        await asyncio.sleep(0.05)
