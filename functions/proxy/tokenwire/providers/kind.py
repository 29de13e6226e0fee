"""What a kind of provider declares, so that it can be configured, created and listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ..errors import bad_setting
from ..references import check_key, check_reference, is_reference
from .protocol import Key, Provider
from .settings import ProviderSettings

AnySettings = TypeVar("AnySettings", bound=ProviderSettings)


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What a provider gets from the app, beside its own settings.

    Args:
        key: Returns the secret that a reference (``env:NAME``, ``ssm:/path``) names; for None
            a placeholder, for providers that need no key.
        connect_timeout: Seconds to connect within.
        sdk: Whether a provider's own SDK may be imported (``openai_sdk``).
    """

    key: Callable[[str | None], Key]
    connect_timeout: float
    sdk: bool = True


_SHORTEST = 2
"""Characters of a key of a provider's own service."""


def _never(_: Mapping[str, str]) -> dict[str, Any] | None:
    return None


@dataclass(frozen=True, slots=True)
class ProviderKind(Generic[AnySettings]):
    """One kind of provider. Declaring it imports no SDK and no codec.

    Args:
        name: As in ``kind = "…"``, and the name of the provider that the environment turns on.
        settings: The class of its settings.
        create: Makes a provider of a name and its settings. Imports what the provider needs;
            opens no connection.
        from_environment: Returns the settings that the process's environment gives, as in
            ``tokenwire.toml``, or None if the environment does not turn the kind on. Raises
            ProxyError (``bad_setting``) for a value that looks like a reference and is none.
        off: Why the kind is off where the environment does not turn it on. Empty for a kind
            that only the configuration file turns on: it is not listed as off.
        family: The kind that this one is another way to; its own name by default. While one of a
            family is on, none is listed as off.
        prefers: Patterns (``fnmatch``) of models that suit a request without one, the best first.
        is_ambient: Whether the environment turns the kind on by what other tools have set up.
        is_stand_in: Whether it only stands in for a real provider: it gets no bare names of
            models, and no request without a model as long as a real provider is on.
        needs_aws: Whether it is a service of AWS, which needs a region and credentials.
        otel_name: The value of ``gen_ai.provider.name`` in OpenTelemetry's conventions; by
            default the provider's own name.
    """

    name: str
    settings: type[AnySettings]
    create: Callable[[str, AnySettings, Dependencies], Provider]
    from_environment: Callable[[Mapping[str, str]], dict[str, Any] | None] = _never
    off: str = ""
    family: str = ""
    prefers: tuple[str, ...] = ()
    is_ambient: bool = False
    is_stand_in: bool = False
    needs_aws: bool = False
    otel_name: str = ""


def by_key(prefix: str) -> Callable[[Mapping[str, str]], dict[str, Any] | None]:
    """Return a ``from_environment`` for kinds that an API key turns on.

    Args:
        prefix: ``X`` stands for the variables ``X_API_KEY`` and, optional, ``X_BASE_URL``.
    """
    variable = f"{prefix}_API_KEY"

    def found(environ: Mapping[str, str]) -> dict[str, Any] | None:
        key = environ.get(variable)
        if not key:
            return None
        check_reference(variable, key)
        # Servers that check no key often get "x" for one.
        if len(key.strip()) < _SHORTEST and not environ.get(f"{prefix}_BASE_URL"):
            raise bad_setting(f"{variable} is too short to be a key")
        check_key(variable, key)
        # On Lambda the variable holds a reference to the key, not the key.
        reference = key if is_reference(key) else f"env:{variable}"
        return {"key": reference, "base_url": environ.get(f"{prefix}_BASE_URL")}

    return found
