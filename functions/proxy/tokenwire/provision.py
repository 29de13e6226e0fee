"""Make the providers and the store that the settings name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from .errors import bad_setting
from .providers.demo.kind import DemoSettings
from .providers.kind import Dependencies
from .providers.protocol import Provider, Role
from .providers.registry import ProviderKinds
from .providers.settings import ProviderSettings
from .references import is_reference
from .secrets import NO_KEY, SecretKey, Secrets
from .settings import Settings
from .stores.contract import Keep, Store
from .stores.kind import StoreOptions
from .stores.registry import StoreKinds, kind_of


def providers(settings: Settings, secrets: Secrets, kinds: ProviderKinds) -> dict[str, Provider]:
    """Return every provider that is on, by name, in the order of ``configured``."""
    dependencies = Dependencies(
        partial(_key, secrets), settings.timeout_connect, settings.openai_sdk
    )
    return {
        name: kinds[given.kind].create(name, given, dependencies)
        for name, given in configured(settings).items()
    }


def configured(settings: Settings) -> dict[str, ProviderSettings]:
    """Return the settings of every provider that is on, by name; the demo's last."""
    demo = {"demo": DemoSettings(pace=settings.demo_pace)} if settings.demo else {}
    return {**settings.providers, **{k: v for k, v in demo.items() if k not in settings.providers}}


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
        raise bad_setting("store leads to another reference")
    keep = Keep(settings.timeout_total + settings.retention, settings.retention)
    return kind_of(url, kinds).create(url, StoreOptions(keep, store_timeout(settings.lease)))


def store_timeout(lease: float) -> float:
    """Seconds that one answer of a store may take: one that never comes must not cost a lease."""
    return min(2.0, max(1.0, lease / 3))


def foreign(settings: Settings) -> str | None:
    """Return the first provider with ``foreign_names``; None without one."""
    found = settings.providers.items()
    return next((name for name, given in found if given.foreign_names), None)


def roles(settings: Settings, kinds: ProviderKinds) -> dict[str, Role]:
    """Return what each provider is for in the catalog, by name."""
    return {name: _role(given, kinds) for name, given in configured(settings).items()}


def _role(given: ProviderSettings, kinds: ProviderKinds) -> Role:
    kind = kinds[given.kind]
    is_ambient = kind.is_ambient and not given.models
    return Role(given.models, kind.prefers, is_stand_in=kind.is_stand_in, is_ambient=is_ambient)


def otel_names(settings: Settings, kinds: ProviderKinds) -> dict[str, str]:
    """Return OpenTelemetry's name of each provider that has one, by the provider's name."""
    found = {name: kinds[given.kind].otel_name for name, given in configured(settings).items()}
    return {name: conventional for name, conventional in found.items() if conventional}


def stand_in_model(roles: Mapping[str, Role]) -> str:
    """Return the model of a request without one where no real provider is on; else empty."""
    found = {name: role.prefers[0] for name, role in roles.items() if role.is_stand_in}
    name = next(iter(found), "") if len(found) == len(roles) else ""
    return f"{name}/{found[name]}" if name else ""


def absent(settings: Settings, secrets: Secrets) -> dict[str, str]:
    """Return why providers have no key, by name: a variable that a reference names is not set."""
    found = {
        name: next(filter(None, map(secrets.absent, given.secrets().values())), None)
        for name, given in configured(settings).items()
    }
    return {name: f"{variable} is not set" for name, variable in found.items() if variable}


def off(settings: Settings, kinds: ProviderKinds) -> dict[str, str]:
    """Return why kinds are off that the environment could turn on, by name."""
    on = {_family(kinds, given.kind) for given in settings.providers.values()}
    return {
        name: kind.off
        for name, kind in kinds.items()
        if kind.off and _family(kinds, name) not in on
    }


def _family(kinds: ProviderKinds, name: str) -> str:
    return kinds[name].family or name
