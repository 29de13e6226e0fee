"""The values of the references in the configuration."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from .errors import ProxyError
from .parameters import CREATE, ParameterStore, missing, unavailable
from .references import check_key

REFETCH_PAUSE = 1.0
"""Seconds within which neither a reference is fetched again nor a failed fetch is repeated:
callers without a key must not be able to overload the store."""

NO_KEY = "none:"
"""The reference of a provider that needs no key; SDKs require one, so it has a placeholder."""


class Store(Protocol):
    """Secrets by path. Its methods block; they are called in a thread."""

    def prepare(self) -> None:
        """Import and set up what the first fetch needs, without a request.

        Raises:
            ProxyError: As ``fetch``, which raises it again.
        """

    def fetch(self, paths: frozenset[str]) -> Mapping[str, str]:
        """Return the values of these paths, without those that do not exist or may not be read.

        Raises:
            ProxyError: The store refused, or could not be reached (``secret_unavailable``).
        """


@dataclass(frozen=True, slots=True)
class _Held:
    value: str
    at: float
    changed: bool = False


class Secrets:
    """Resolves ``env:NAME`` and ``ssm:/path`` references; caches the values and fetches them again.

    Args:
        environ: Where ``env:`` references are looked up.
        references: Every ``ssm:`` reference of the configuration: the first use fetches all.
        ttl: How long a fetched value is used, in seconds.
        store: Where ``ssm:`` references are looked up.
        clock: Monotonic time in seconds.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        references: frozenset[str] = frozenset(),
        *,
        ttl: float = 300.0,
        store: Store | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._environ = environ
        self._paths = frozenset(r.removeprefix("ssm:") for r in references if r.startswith("ssm:"))
        self._ttl = ttl
        self._store = store or ParameterStore()
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._failed: dict[str, tuple[float, str]] = {}
        self._fetching = asyncio.Lock()

    async def prepare(self) -> None:
        """Prepare the first fetch, if there will be one."""
        if self._paths:
            with suppress(ProxyError):
                await asyncio.to_thread(self._store.prepare)

    async def get(self, reference: str) -> str:
        """Return the value of a reference.

        Raises:
            ProxyError: There is none, or it cannot be read (503, ``secret_unavailable``). The
                message names the reference, never a value.
        """
        kind, _, name = reference.partition(":")
        if kind == "env":
            return self._variable(reference, name)
        if kind == "ssm":
            return await self._parameter(name)
        if reference == NO_KEY:
            return "none"
        raise missing("the reference", "write env:NAME or ssm:/path")

    def read(self, reference: str) -> str:
        """Return the value of a reference without the cache. Blocks: for use at startup.

        Raises:
            ProxyError: As ``get``.
        """
        kind, _, name = reference.partition(":")
        if kind != "ssm":
            return self._variable(reference, name)
        found = self._store.fetch(frozenset({name}))
        if name not in found:
            raise missing(reference, CREATE)
        return found[name]

    def _variable(self, reference: str, name: str) -> str:
        value = self._environ.get(name)
        if not value:
            raise missing(reference, "set that variable")
        return value

    def absent(self, reference: str) -> str | None:
        """Return the variable of a reference if it is not set; None if it is, or may be."""
        kind, _, name = reference.partition(":")
        return name if kind == "env" and not self._environ.get(name) else None

    async def refresh(self, reference: str) -> bool:
        """Fetch the value again; return whether it changed. A failed fetch keeps the old value.

        Of many callers refused with the same old value one fetches, and all get its result.
        """
        path = reference.removeprefix("ssm:")
        before = self._held.get(path)
        if before is None:
            return False
        if self._clock() - before.at < REFETCH_PAUSE:
            return before.changed
        try:
            await self._fetch(path, newer_than=before.at)
        except ProxyError:
            return False
        return self._held[path].value != before.value

    async def _parameter(self, path: str) -> str:
        held = self._held.get(path)
        if held is None:
            await self._fetch(path, newer_than=None)
        elif self._clock() - held.at >= self._ttl and not self._fetching.locked():
            # One caller fetches; the others use the old value rather than wait for a slow store.
            with suppress(ProxyError):
                await self._fetch(path, newer_than=held.at)
        return self._held[path].value

    async def _fetch(self, path: str, newer_than: float | None) -> None:
        async with self._fetching:
            held = self._held.get(path)
            if held is not None and (newer_than is None or held.at > newer_than):
                return  # another caller fetched in the meantime
            self._check_pause(path)
            try:
                values = await asyncio.to_thread(self._store.fetch, self._paths | {path})
            except ProxyError as error:
                self._failed[path] = self._clock(), error.message
                raise
            self._hold(values)
            if path not in values:
                absent = missing(f"ssm:{path}", CREATE)
                self._failed[path] = self._clock(), absent.message
                raise absent

    def _check_pause(self, path: str) -> None:
        at, message = self._failed.get(path, (-math.inf, ""))
        if self._clock() - at < REFETCH_PAUSE:
            raise unavailable(message)

    def _hold(self, values: Mapping[str, str]) -> None:
        now = self._clock()
        for path, value in values.items():
            before = self._held.get(path)
            changed = before is not None and before.value != value
            self._held[path] = _Held(value, now, changed)

    def key(self, reference: str) -> SecretKey:
        """Return the reference as a provider's key."""
        return SecretKey(self, reference)


@dataclass(frozen=True, slots=True)
class SecretKey:
    """One reference: its value now, and a way to fetch it again."""

    secrets: Secrets
    reference: str

    async def __call__(self) -> str:
        """Return the value in use now.

        Raises:
            ProxyError: As ``Secrets.get``, or as ``check_key``.
        """
        return check_key(self.reference, await self.secrets.get(self.reference))

    async def refresh(self) -> bool:
        """As ``Secrets.refresh``."""
        return self.reference.startswith("ssm:") and await self.secrets.refresh(self.reference)
