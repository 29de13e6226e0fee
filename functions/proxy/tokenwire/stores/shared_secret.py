"""A secret that the processes of one store share, where nobody has set one."""

from __future__ import annotations

import secrets

from ..clock import monotonic
from .contract import Named, Names, StoreError

_NAME = "the secret of all processes"
_TOUCH = 5.0
"""Seconds after which the name is claimed anew: names are forgotten in time, this one must not be
while it is used, and a store may lose it."""
_AT_ONCE = 1.0
"""Seconds between two looks for a secret that is not known here."""
_MOST = 4
"""Secrets that count at a time: more than one only after a store has lost the first."""


class SharedSecret:
    """Made by whichever process asks first.

    A store that has lost the secret may be given another one, by a process that did not know the
    first. Then both count: whoever knows one that the store does not have adds it.

    Args:
        names: Where it is kept.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._candidate = secrets.token_urlsafe(32)
        self._agreed: list[str] = []
        self._claimed = -_TOUCH

    async def __call__(self) -> bytes:
        """The secret to sign with, 32 random bytes in base64.

        Raises:
            StoreError: The store cannot be asked, and never could.
        """
        await self._refresh(_TOUCH)
        return self._agreed[0].encode()

    async def others(self) -> list[bytes]:
        """The secrets that others may have signed with, as the store knows them now.

        Raises:
            StoreError: As above.
        """
        await self._refresh(_AT_ONCE)
        return [secret.encode() for secret in self._agreed]

    async def _refresh(self, seconds: float) -> None:
        if monotonic() - self._claimed < seconds:
            return
        try:
            await self._agree()
        except StoreError:
            if not self._agreed:
                raise
        self._claimed = monotonic()

    async def _agree(self) -> None:
        ours = self._agreed or [self._candidate]
        found = await self._names.claim(_NAME, _named(ours))
        if found is None:
            self._agreed = ours
            return
        theirs = found.stream.split()
        self._agreed = [*theirs, *(s for s in self._agreed if s not in theirs)][:_MOST]
        if self._agreed != theirs:
            # If another process is faster, this is done again the next time.
            await self._names.claim(_NAME, _named(self._agreed), instead_of=found)


def _named(secrets_: list[str]) -> Named:
    return Named(" ".join(secrets_))
