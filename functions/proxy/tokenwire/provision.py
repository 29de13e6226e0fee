"""Make the providers and the store that the settings name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from .errors import ProxyError
from .providers.demo import Demo
from .providers.kind import Dependencies
from .providers.protocol import Provider
from .providers.registry import ProviderKinds
from .references import is_reference
from .secrets import NO_KEY, SecretKey, Secrets
from .settings import Settings
from .stores.contract import Keep, Store
from .stores.kind import StoreOptions
from .stores.registry import StoreKinds, kind_of


def providers(settings: Settings, secrets: Secrets, kinds: ProviderKinds) -> dict[str, Provider]:
    """Return every provider that is on, by name; the demo last: bare names go to the first."""
    dependencies = Dependencies(
        partial(_key, secrets), settings.timeout_connect, settings.openai_sdk
    )
    found = {
        name: kinds[given.kind].create(name, given, dependencies)
        for name, given in settings.providers.items()
    }
    return found | ({"demo": Demo(settings.demo_pace)} if settings.demo else {})


def _key(secrets: Secrets, reference: str | None) -> SecretKey:
    return secrets.key(reference or NO_KEY)


def store(settings: Settings, lookup: Callable[[str], str], kinds: StoreKinds) -> Store:
    """Return the store that the settings name.

    Args:
        settings: Of the app.
        lookup: Returns the value of a reference (``env:NAME``, ``ssm:/path``).
        kinds: The kinds of store by name.

    Raises:
        ProxyError: The reference leads to no address (``bad_setting``), or to nothing.
    """
    given = settings.store
    url = lookup(given).strip() if is_reference(given) else given
    if is_reference(url):
        raise ProxyError("Bad setting: store leads to another reference.", code="bad_setting")
    keep = Keep(settings.timeout_total + settings.retention, settings.retention)
    return kind_of(url, kinds).create(url, StoreOptions(keep, store_timeout(settings.lease)))


def store_timeout(lease: float) -> float:
    """Seconds that one answer of a store may take: one that never comes must not cost a lease."""
    return min(2.0, max(1.0, lease / 3))


def foreign(settings: Settings) -> str | None:
    """Return the first provider with ``foreign_names``; None without one."""
    found = settings.providers.items()
    return next((name for name, given in found if given.foreign_names), None)


def off(settings: Settings, kinds: ProviderKinds) -> dict[str, str]:
    """Return why kinds are off that the environment could turn on, by name."""
    on = {given.kind for given in settings.providers.values()}
    return {name: kind.off for name, kind in kinds.items() if kind.off and name not in on}
