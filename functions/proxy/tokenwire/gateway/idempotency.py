"""``Idempotency-Key``: a POST that is sent again joins its stream instead of starting another.

As in draft-ietf-httpapi-idempotency-key-header: the client chooses the key, which identifies one
request. A key that comes with another request is refused with 422.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from time import monotonic

import msgspec

from ..dialects.protocol import ParsedRequest
from ..errors import ClientError
from ..stores.contract import NameBinding
from ..stores.records import EndReason
from ..streams.hub import Hub
from ..streams.stream import Stream

KEY_HEADER = "idempotency-key"
_MAX = 255
_PATIENCE = 2.0
"""Seconds to wait for the stream of a key that another process has just claimed."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """One key and the fingerprint of its request. ``Hub`` keeps the keys of callers apart."""

    name: str
    fingerprint: str

    @classmethod
    def of(cls, key: str | None, path: str, request: ParsedRequest) -> Idempotency | None:
        """Return the key, bound to the request that it was sent with; None without a key.

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
        """Return the stream that this key has started, running or complete; not one that failed.

        Raises:
            ClientError: The key belongs to another request (422, ``idempotency_key_reused``).
            StoreError: The store fails.
        """
        binding = await hub.lookup(self.name, owner)
        return None if binding is None else await self._started(hub, owner, binding, patience=0.0)

    async def claim(self, hub: Hub, owner: str, stream_id: str) -> Stream | None:
        """Bind the key to a stream that is about to start.

        Returns:
            The stream that another process has started for the key meanwhile: start none then.

        Raises:
            ClientError: As ``find``.
            StoreError: As ``find``: without the store a key cannot be claimed.
        """
        before: NameBinding | None = None
        while True:
            ours = NameBinding(stream_id, self.fingerprint)
            binding = await hub.claim(self.name, owner, ours, before)
            if binding is None:
                return None
            found = await self._started(hub, owner, binding, patience=_PATIENCE)
            if found is not None:
                return found
            before = binding

    async def _started(
        self, hub: Hub, owner: str, binding: NameBinding, patience: float
    ) -> Stream | None:
        if binding.fingerprint != self.fingerprint:
            raise ClientError(
                "This Idempotency-Key was used with another request. Send a new key.",
                code="idempotency_key_reused",
                status=422,
                param=KEY_HEADER,
            )
        stream = await _found(hub, owner, binding.stream, patience)
        end = None if stream is None else stream.end
        return stream if end is None or end.reason is EndReason.DONE else None


async def _found(hub: Hub, owner: str, stream_id: str, patience: float) -> Stream | None:
    """Return the stream. One that was claimed just now may not be in the store yet: wait for it."""
    until = monotonic() + patience
    while True:
        try:
            return await hub.find(stream_id, owner)
        except ClientError:
            if monotonic() >= until:
                return None
        await asyncio.sleep(0.05)
