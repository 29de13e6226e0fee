"""Tickets: signed, short-lived permission to watch one stream, for a URL.

An ``EventSource`` cannot send a key, and a key in a URL would be logged. A ticket in a URL gives
read access to one stream for some minutes.
"""

from __future__ import annotations

import hmac
import time
from base64 import urlsafe_b64encode
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import TypeAlias

from ..errors import ClientError, ProxyError
from ..references import MIN_SECRET

Secret: TypeAlias = Callable[[], Awaitable[bytes]]

_VERSION = "1"


class Tickets:
    """Signs and verifies, with HMAC-SHA256.

    Args:
        secret: Returns the secret that the processes share which accept each other's tickets;
            at least 16 bytes.
        ttl: How long a ticket lasts, in seconds.
        clock: Unix time in seconds.
        others: Returns further secrets whose tickets are accepted; called if
            the first does not fit.
    """

    def __init__(
        self,
        secret: Secret,
        ttl: float,
        clock: Callable[[], float] = time.time,
        others: Callable[[], Awaitable[Sequence[bytes]]] | None = None,
    ) -> None:
        self._secret = secret
        self._others = others or _none
        self._ttl = ttl
        self._clock = clock

    async def sign(self, stream_id: str) -> tuple[str, int]:
        """Return a ticket for this stream, and when it expires (Unix time in seconds).

        Raises:
            ProxyError: There is no secret, or it is too short.
        """
        expires_at = int(self._clock() + self._ttl)
        return f"{_VERSION}.{expires_at}.{await self._mac(stream_id, str(expires_at))}", expires_at

    async def verify(self, stream_id: str, ticket: str) -> None:
        """Accept the ticket for this stream.

        Raises:
            ClientError: It is not ours, or of another stream (401, ``invalid_ticket``), or
                too old (401, ``expired_ticket``).
            ProxyError: There is no secret, or it is too short.
        """
        version, _, rest = ticket.partition(".")
        expires_at, _, mac = rest.partition(".")
        genuine = await self._is_genuine(stream_id, expires_at, mac)
        if version != _VERSION or not genuine:
            raise ClientError(
                "The ticket is not valid for this stream.", code="invalid_ticket", status=401
            )
        if int(expires_at) < self._clock():
            raise ClientError("The ticket has expired.", code="expired_ticket", status=401)

    async def _is_genuine(self, stream_id: str, expires_at: str, mac: str) -> bool:
        ours = await self._mac(stream_id, expires_at)
        if hmac.compare_digest(mac.encode(), ours.encode()):
            return True
        macs = [_mac(secret, stream_id, expires_at) for secret in await self._others()]
        return any(hmac.compare_digest(mac.encode(), other.encode()) for other in macs)

    async def _mac(self, stream_id: str, expires_at: str) -> str:
        return _mac(_checked(await self._secret()), stream_id, expires_at)


def _mac(secret: bytes, stream_id: str, expires_at: str) -> str:
    text = f"{_VERSION}\n{stream_id}\n{expires_at}".encode()
    mac = hmac.new(secret, text, sha256).digest()
    return urlsafe_b64encode(mac).decode().rstrip("=")


def _checked(secret: bytes) -> bytes:
    """Return the secret if it is long enough; the one of a store has not been checked before."""
    if len(secret) < MIN_SECRET:
        raise ProxyError(
            f"TOKENWIRE_SECRET must have at least {MIN_SECRET} bytes.", code="bad_setting"
        )
    return secret


async def _none() -> Sequence[bytes]:
    return ()
