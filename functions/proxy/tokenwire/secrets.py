"""Secrets: the values behind the references of the configuration."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from .errors import ProxyError

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.parameters import SSMProvider

REFETCH_PAUSE = 1.0
"""Seconds within which a reference is not fetched a second time, nor a failed fetch repeated:
callers without a key must not be able to overload the store."""

NO_KEY = "none:"
"""The reference of a provider that needs no key; SDKs require one, so it has a placeholder."""

_REFUSALS = {"AccessDeniedException", "ParameterNotFound", "ValidationException"}
_Answer = TypeVar("_Answer")


class Store(Protocol):
    """A place that holds secrets by path. Blocking; called in a thread."""

    def prepare(self) -> None:
        """Import and set up what the first fetch would otherwise wait for; no network.

        Raises:
            ProxyError: As ``fetch``, which will say it again.
        """

    def fetch(self, paths: frozenset[str]) -> Mapping[str, str]:
        """Return the values of these paths, without those that do not exist or may not be read.

        Raises:
            ProxyError: The store refused, or could not be reached (``secret_unavailable``).
        """


class ParameterStore:
    """SSM Parameter Store, through Powertools, by path where paths share a folder."""

    def __init__(self) -> None:
        self._made: SSMProvider | None = None

    def prepare(self) -> None:
        """Import boto3 and make its client: half a second of CPU."""
        self._provider("the parameters")

    def read(self, path: str) -> str:
        """One parameter, now: for the configuration, which nothing can go on without.

        Raises:
            ProxyError: There is none, or it cannot be read.
        """
        found = self.fetch(frozenset({path}))
        if path not in found:
            raise _missing(f"ssm:{path}", _CREATE)
        return found[path]

    def _provider(self, what: str) -> SSMProvider:
        self._made = self._made or _connect(what)
        return self._made

    def fetch(self, paths: frozenset[str]) -> Mapping[str, str]:
        """One call for each folder, one more for each parameter that it does not give; decrypted.

        Raises:
            ProxyError: As ``Store.fetch``; names the parameters and the IAM actions.
        """
        provider = self._provider(", ".join(sorted(paths)))
        found: dict[str, str] = {}
        for folder in {path.rpartition("/")[0] for path in paths} - {""}:
            listed = _ask(partial(provider.get_multiple, folder, decrypt=True), folder)
            found |= {f"{folder}/{name}": str(value) for name, value in (listed or {}).items()}
        for path in paths - found.keys():
            value = _ask(partial(provider.get, path, decrypt=True), path)
            found |= {} if value is None else {path: str(value)}
        return {path: found[path] for path in paths if path in found}


def _connect(what: str) -> SSMProvider:
    try:
        from aws_lambda_powertools.utilities.parameters import SSMProvider
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise _unreachable(what, "boto3 is not installed") from None
    # A request waits for this: boto's own minute a try is too long.
    config = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 2})
    try:
        return SSMProvider(boto_config=config)
    except BotoCoreError as error:
        raise _unreachable(what, type(error).__name__) from None


def _ask(call: Callable[..., _Answer], what: str) -> _Answer | None:
    """Return the store's answer; None if the path does not exist or may not be read.

    Raises:
        ProxyError: It does not answer.
    """
    from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
    from botocore.exceptions import ClientError

    try:
        return call(force_fetch=True)
    except GetParameterError as error:
        # Powertools has one class for all that can go wrong; what did is behind it.
        cause = error.__context__
        kind = type(cause).__name__
        if isinstance(cause, ClientError):
            kind = str(cause.response["Error"]["Code"])
        if kind in _REFUSALS:
            return None
        raise _unreachable(what, kind) from None


def _unreachable(what: str, kind: str) -> ProxyError:
    # boto3's text can quote the request, so only the kind of the error is passed on.
    return _unavailable(
        f"SSM cannot be read for {what} ({kind}). The function's role needs "
        "ssm:GetParametersByPath (or ssm:GetParameter) on it, and kms:Decrypt on its key."
    )


@dataclass(frozen=True, slots=True)
class _Held:
    value: str
    at: float
    changed: bool = False


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
        raise _missing("the reference", "write env:NAME or ssm:/path")

    def read(self, reference: str) -> str:
        """Return the value of a reference now. Blocking: for what the start cannot do without.

        Raises:
            ProxyError: As ``get``.
        """
        kind, _, name = reference.partition(":")
        if kind != "ssm":
            return self._variable(reference, name)
        found = self._store.fetch(frozenset({name}))
        if name not in found:
            raise _missing(reference, _CREATE)
        return found[name]

    def _variable(self, reference: str, name: str) -> str:
        value = self._environ.get(name)
        if not value:
            raise _missing(reference, "set that variable")
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
                missing = _missing(f"ssm:{path}", _CREATE)
                self._failed[path] = self._clock(), missing.message
                raise missing

    def _check_pause(self, path: str) -> None:
        at, message = self._failed.get(path, (-math.inf, ""))
        if self._clock() - at < REFETCH_PAUSE:
            raise _unavailable(message)

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
        """Return the value in use now. Raises as ``Secrets.get``."""
        return await self.secrets.get(self.reference)

    async def refresh(self) -> bool:
        """As ``Secrets.refresh``."""
        return self.reference.startswith("ssm:") and await self.secrets.refresh(self.reference)


_CREATE = (
    "create it, or allow ssm:GetParametersByPath (or ssm:GetParameter) on it and kms:Decrypt on "
    "its key"
)


def _missing(reference: str, cure: str) -> ProxyError:
    return _unavailable(f"There is no value for {reference}: {cure}.")


def _unavailable(message: str) -> ProxyError:
    return ProxyError(message, code="secret_unavailable", status=503)
