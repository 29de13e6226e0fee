"""``Idempotency-Key``: a request that is sent again joins its stream instead of starting another.

As in draft-ietf-httpapi-idempotency-key-header: the client chooses the key, which identifies one
request. A key that comes with another request is refused with 422. A GET of an ``EventSource``,
which can send no header, has the key in its query: ``messageId``.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from ..clock import monotonic
from ..dialects.protocol import ParsedRequest
from ..errors import ClientError
from ..stores.contract import NameBinding
from ..stores.records import EndReason
from ..streams.hub import Hub
from ..streams.stream import Stream

KEY_HEADER = "idempotency-key"
MESSAGE_ID = "messageId"
MAX_KEY = 255
MESSAGE_ID_PATTERN = r"[A-Za-z0-9._:~-]{1,255}"
"""Characters that stand for themselves in a query: an id that was not encoded arrives whole."""
_MESSAGE_ID = re.compile(MESSAGE_ID_PATTERN)
_WAIT = 2.0
"""Seconds to wait for the stream of a key that another process has just claimed."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A key of the client's choosing, and the field that it came in, for errors."""

    text: str
    param: str

    @classmethod
    def of_header(cls, text: str | None) -> IdempotencyKey | None:
        """Return the key of an ``Idempotency-Key`` header; None without one.

        Raises:
            ClientError: It is empty, or longer than 255 characters (``invalid_value``).
        """
        if text is None:
            return None
        if not 0 < len(text) <= MAX_KEY:
            raise _malformed(
                f"Idempotency-Key must have between 1 and {MAX_KEY} characters.", KEY_HEADER
            )
        return cls(text, KEY_HEADER)

    @classmethod
    def of_message_id(cls, text: str | None) -> IdempotencyKey | None:
        """Return the key of a ``messageId``; None without one.

        Raises:
            ClientError: It does not match ``MESSAGE_ID_PATTERN`` (``invalid_value``).
        """
        if text is None:
            return None
        if _MESSAGE_ID.fullmatch(text) is None:
            raise _malformed(
                f"{MESSAGE_ID} must have between 1 and {MAX_KEY} of the characters A-Z, a-z, 0-9, "
                "and . _ : ~ -",
                MESSAGE_ID,
            )
        return cls(text, MESSAGE_ID)


@dataclass(frozen=True, slots=True)
class Idempotency:
    """One key and the fingerprint of its request. ``Hub`` keeps the keys of callers apart."""

    name: str
    fingerprint: str
    param: str

    @classmethod
    def of(cls, key: IdempotencyKey, path: str, request: ParsedRequest) -> Idempotency:
        """Return the key, bound to the request that it was sent with.

        Args:
            key: The key.
            path: The path that the request was sent to.
            request: The request.
        """
        identity = [path, request.dialect, request.body]
        identity += [request.headers] if request.headers else []
        fingerprint = sha256(msgspec.json.encode(identity)).hexdigest()
        return cls(f"idempotency {key.text}", fingerprint, key.param)

    async def find(self, hub: Hub, owner: str) -> Stream | None:
        """Return the stream that this key has started, running or complete; not one that failed.

        Raises:
            ClientError: The key belongs to another request (422, ``idempotency_key_reused``).
            StoreError: The store fails.
        """
        binding = await hub.names.lookup(self.name, owner)
        return None if binding is None else await self._started(hub, owner, binding, wait=0.0)

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
            binding = await hub.names.claim(self.name, owner, ours, before)
            if binding is None:
                return None
            found = await self._started(hub, owner, binding, wait=_WAIT)
            if found is not None:
                return found
            before = binding

    async def _started(
        self, hub: Hub, owner: str, binding: NameBinding, wait: float
    ) -> Stream | None:
        if binding.fingerprint != self.fingerprint:
            name = "Idempotency-Key" if self.param == KEY_HEADER else self.param
            raise ClientError(
                f"This {name} was used with another request. Send a new one.",
                code="idempotency_key_reused",
                status=422,
                param=self.param,
            )
        stream = await _found(hub, owner, binding.stream, wait)
        end = None if stream is None else stream.end
        return stream if end is None or end.reason is EndReason.DONE else None


async def _found(hub: Hub, owner: str, stream_id: str, wait: float) -> Stream | None:
    """Return the stream. One that was claimed just now may not be in the store yet: wait for it."""
    until = monotonic() + wait
    while True:
        try:
            return await hub.find(stream_id, owner)
        except ClientError:
            if monotonic() >= until:
                return None
        await asyncio.sleep(0.05)


def _malformed(message: str, param: str) -> ClientError:
    return ClientError(message, code="invalid_value", param=param)
