"""``auth = "keys"``: callers have one of this server's keys, or are on the same machine."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

from ..errors import ClientError
from .callers import Authenticator, Caller, id_of
from .loopback import Loopback
from .method import AuthDependencies, AuthMethod
from .scope import headers_of

_HEADERS = ("x-api-key", "api-key")
"""The headers that may carry a key where there is no ``Authorization``; the first wins."""


class Keys:
    """Callers with a key of this server: ``Authorization: Bearer``, ``x-api-key``, ``api-key``.

    Args:
        keys: Returns the keys in force; called for each request, so that they can be rotated.
        count: How many keys are set, for the description.
    """

    local_only = False

    def __init__(self, keys: Callable[[], Awaitable[Iterable[str]]], count: int = 1) -> None:
        self._keys = keys
        self.description = f"Callers need one of {count} keys."

    async def __call__(self, scope: Mapping[str, Any]) -> Caller:
        """Return the caller that the key belongs to."""
        # Headers are decoded as Latin-1, but clients send a key as UTF-8.
        raw = _key(headers_of(scope)).encode("latin-1")
        given = sha256(raw).digest()
        # Every key is compared, in constant time, so that timing reveals nothing about any.
        matches = [
            hmac.compare_digest(given, sha256(key.encode()).digest()) for key in await self._keys()
        ]
        if not any(matches):
            raise ClientError("The API key is not valid.", code="invalid_api_key", status=401)
        return Caller(id_of(raw))

    async def knows(self, caller_id: str) -> bool:
        """Return whether one of the keys in force is this caller's."""
        return any(id_of(key.encode()) == caller_id for key in await self._keys())


def _key(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    key = bearer or next(filter(None, map(headers.get, _HEADERS)), None)
    if not key:
        raise ClientError(
            "An API key is needed: Authorization: Bearer KEY.", code="missing_api_key", status=401
        )
    return key


def _create(dependencies: AuthDependencies) -> Authenticator:
    if not dependencies.key_count:
        return Loopback(dependencies.origins)
    return Keys(dependencies.keys, dependencies.key_count)


KEYS = AuthMethod(
    "keys",
    _create,
    security_schemes={
        "bearer": {"type": "http", "scheme": "bearer"},
        **{name: {"type": "apiKey", "in": "header", "name": name} for name in _HEADERS},
    },
)
