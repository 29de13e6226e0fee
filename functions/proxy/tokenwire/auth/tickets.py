"""Tickets: signed, short-lived permission to watch one stream, for a URL.

An ``EventSource`` cannot send a key, and a key in a URL would end up in logs. A ticket can be
in a URL: it opens one stream, for reading, for some minutes.
"""

from __future__ import annotations

import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256

from ..errors import ClientError, ProxyError

_VERSION = "1"
_MIN_SECRET = 16


class Tickets:
    """Signs and verifies, with HMAC-SHA256.

    Args:
        secret: Shared by every process that must know each other's tickets; at least 16
            bytes. None: a random one, for this process alone.
        ttl: How long a ticket lasts, in seconds.
        clock: Unix time in seconds.

    Raises:
        ProxyError: The secret is too short to be one.
    """

    def __init__(
        self, secret: bytes | None, ttl: float, clock: Callable[[], float] = time.time
    ) -> None:
        if secret is not None and len(secret) < _MIN_SECRET:
            raise ProxyError(
                f"TOKENWIRE_SECRET must have at least {_MIN_SECRET} bytes.", code="bad_setting"
            )
        self._secret = secret or secrets.token_bytes(32)
        self._ttl = ttl
        self._clock = clock

    def sign(self, stream_id: str) -> tuple[str, int]:
        """A ticket for this stream, and when it expires (Unix time in seconds)."""
        expires_at = int(self._clock() + self._ttl)
        return f"{_VERSION}.{expires_at}.{self._mac(stream_id, str(expires_at))}", expires_at

    def verify(self, stream_id: str, ticket: str) -> None:
        """Accept the ticket for this stream.

        Raises:
            ClientError: It is not ours, or of another stream (401, ``invalid_ticket``), or
                too old (401, ``expired_ticket``).
        """
        version, _, rest = ticket.partition(".")
        expires_at, _, mac = rest.partition(".")
        genuine = hmac.compare_digest(mac.encode(), self._mac(stream_id, expires_at).encode())
        if version != _VERSION or not genuine:
            raise ClientError(
                "The ticket is not valid for this stream.", code="invalid_ticket", status=401
            )
        if int(expires_at) < self._clock():
            raise ClientError("The ticket has expired.", code="expired_ticket", status=401)

    def _mac(self, stream_id: str, expires_at: str) -> str:
        text = f"{_VERSION}\n{stream_id}\n{expires_at}".encode()
        mac = hmac.new(self._secret, text, sha256).digest()
        return urlsafe_b64encode(mac).decode().rstrip("=")
