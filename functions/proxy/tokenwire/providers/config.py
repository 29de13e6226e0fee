"""How a provider is reached over HTTP, in whatever way its requests are authenticated."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..references import is_reference
from .kind import Dependencies
from .protocol import Key
from .settings import KeySettings


@dataclass(frozen=True, slots=True)
class Config:
    """How to reach one provider.

    Args:
        base_url: The address, if it is not the provider's own; with ``/v1`` for servers that
            are compatible with OpenAI's, without for the others.
        connect_timeout: Seconds. There is no limit on reading here: the pump has its own.
        max_retries: Before the response begins, on 408, 409, 429, 5xx and broken connections.
        headers: Sent with every request.
        query: Added to every URL (Azure's ``api-version``).
        secret_headers: Headers whose values are secrets, read again for every request.
        secret_query: The same for the URL.
        sdk: Whether the provider's own SDK, if there is one, gives headers and lists the models.
        models: The models to list, instead of asking the provider.
    """

    base_url: str | None = None
    connect_timeout: float = 10.0
    max_retries: int = 2
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    secret_headers: Mapping[str, Key] = field(default_factory=dict)
    secret_query: Mapping[str, Key] = field(default_factory=dict)
    sdk: bool = True
    models: Sequence[str] = ()


def configured(
    settings: KeySettings, dependencies: Dependencies, base_url: str | None = None
) -> Config:
    """Return the configuration of a provider that takes a key.

    Args:
        settings: Of the provider; values that are references become secrets.
        dependencies: Of the app.
        base_url: The address to use instead of the one in the settings.
    """
    return Config(
        base_url=base_url or settings.base_url,
        connect_timeout=dependencies.connect_timeout,
        max_retries=settings.max_retries,
        headers=_plain(settings.headers),
        query=_plain(settings.query),
        secret_headers=_secret(settings.headers, dependencies.key),
        secret_query=_secret(settings.query, dependencies.key),
        sdk=dependencies.sdk,
        models=settings.models,
    )


def _plain(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if not is_reference(value)}


def _secret(values: Mapping[str, str], key: Callable[[str | None], Key]) -> dict[str, Key]:
    return {name: key(value) for name, value in values.items() if is_reference(value)}
