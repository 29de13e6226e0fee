"""A secret that the processes of one store share, where nobody has set one."""

from __future__ import annotations

import secrets
from time import monotonic

from .store import Named, Names

_NAME = "the secret of all processes"
_TOUCH = 600.0
"""Seconds after which the name is claimed anew: names are forgotten in time, this one must not be
while it is used; and a process that was frozen past that learns what the others agreed upon."""


class SharedSecret:
    """Made by whichever process asks first.

    Args:
        names: Where it is kept.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._secret = Named(secrets.token_urlsafe(32))
        self._claimed = -_TOUCH

    async def __call__(self) -> bytes:
        """The secret, 32 random bytes in base64.

        Raises:
            StoreError: The store cannot be asked.
        """
        if monotonic() - self._claimed >= _TOUCH:
            found = await self._names.claim(_NAME, self._secret)
            self._secret = found or self._secret
            self._claimed = monotonic()
        return self._secret.stream.encode()
