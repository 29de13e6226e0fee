"""Secrets: references to values that are not in the configuration, and how they are had."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from .errors import ProxyError

REFETCH_PAUSE = 1.0
"""Seconds within which a second refetch of the same reference is not made."""


class Store(Protocol):
    """A place that holds secrets by path. Blocking; called in a thread."""

    def fetch(self, paths: frozenset[str]) -> Mapping[str, str]:
        """The values of these paths; those that cannot be had are left out.

        Raises:
            ProxyError: The store refused, or could not be reached (``secret_unavailable``).
        """


class ParameterStore:
    """SSM Parameter Store, through Powertools, by path where paths share a folder."""

    def fetch(self, paths: frozenset[str]) -> Mapping[str, str]:
        """One call for each folder; decrypted.

        Raises:
            ProxyError: As ``Store.fetch``; names the parameters and the IAM actions.
        """
        from aws_lambda_powertools.utilities.parameters import SSMProvider
        from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
        from botocore.exceptions import BotoCoreError, ClientError

        found: dict[str, str] = {}
        provider = SSMProvider()
        for folder in {path.rpartition("/")[0] or "/" for path in paths}:
            try:
                values = provider.get_multiple(folder, decrypt=True, force_fetch=True)
            except (GetParameterError, ClientError, BotoCoreError) as error:
                raise _denied(folder, error) from None
            base = folder.rstrip("/")
            found |= {f"{base}/{name}": str(value) for name, value in values.items()}
        return {path: found[path] for path in paths if path in found}


def _denied(folder: str, error: Exception) -> ProxyError:
    # boto3's own text can quote what was asked, but never a value; even so only its kind goes out.
    return ProxyError(
        f"The parameters under {folder} cannot be read ({type(error).__name__}). The function's "
        f"role needs ssm:GetParametersByPath on them, and kms:Decrypt on their key.",
        code="secret_unavailable",
        status=503,
    )


@dataclass(frozen=True, slots=True)
class _Held:
    value: str
    at: float


class Secrets:
    """Resolves ``env:NAME`` and ``ssm:/path`` references; remembers, refetches, never leaks.

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
        self._fetching = asyncio.Lock()

    async def get(self, reference: str) -> str:
        """The value of a reference.

        Raises:
            ProxyError: There is none, or it cannot be read (503, ``secret_unavailable``). The
                message names the reference, never a value.
        """
        kind, _, name = reference.partition(":")
        if kind == "env":
            value = self._environ.get(name)
            if not value:
                raise _missing(reference, "set that variable")
            return value
        if kind == "ssm":
            return await self._parameter(name)
        raise _missing("the reference", "write env:NAME or ssm:/path")

    async def refresh(self, reference: str) -> bool:
        """Fetch the value anew; whether it changed. A failing fetch keeps what we have."""
        path = reference.removeprefix("ssm:")
        before = self._held.get(path)
        if before is None or self._clock() - before.at < REFETCH_PAUSE:
            return False
        try:
            await self._fetch(path, newer_than=before.at)
        except ProxyError:
            return False
        return self._held[path].value != before.value

    async def _parameter(self, path: str) -> str:
        held = self._held.get(path)
        if held is None or self._clock() - held.at >= self._ttl:
            try:
                await self._fetch(path, newer_than=held.at if held else None)
            except ProxyError:
                if held is None:
                    raise
        return self._held[path].value

    async def _fetch(self, path: str, newer_than: float | None) -> None:
        async with self._fetching:
            held = self._held.get(path)
            if held is not None and (newer_than is None or held.at > newer_than):
                return  # somebody else fetched while we waited
            values = await asyncio.to_thread(self._store.fetch, self._paths | {path})
            now = self._clock()
            self._held |= {name: _Held(value, now) for name, value in values.items()}
            if path not in values:
                raise _missing(f"ssm:{path}", "create it, or allow ssm:GetParametersByPath on it")

    def key(self, reference: str) -> SecretKey:
        """The reference as a provider's key."""
        return SecretKey(self, reference)


@dataclass(frozen=True, slots=True)
class SecretKey:
    """One reference: what it means now, and a way to ask again."""

    secrets: Secrets
    reference: str

    async def __call__(self) -> str:
        """The value in use now. Raises as ``Secrets.get``."""
        return await self.secrets.get(self.reference)

    async def refresh(self) -> bool:
        """As ``Secrets.refresh``."""
        return self.reference.startswith("ssm:") and await self.secrets.refresh(self.reference)


def _missing(reference: str, cure: str) -> ProxyError:
    return ProxyError(
        f"There is no value for {reference}: {cure}.", code="secret_unavailable", status=503
    )
