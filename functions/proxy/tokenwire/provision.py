"""From settings to providers and the store: one function a kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .errors import ProxyError
from .providers import native
from .providers.anthropic import provider as anthropic
from .providers.bedrock import provider as bedrock
from .providers.config import Config
from .providers.demo import Demo
from .providers.gemini import provider as gemini
from .providers.openai import bodies as chat_bodies
from .providers.openai import provider as openai
from .providers.protocol import Provider
from .references import is_reference
from .secrets import NO_KEY, SecretKey, Secrets
from .settings import KINDS, ProviderSettings, Settings, store_url
from .stores.contract import Keep, Store
from .stores.dynamodb import DynamoDBStore
from .stores.memory import MemoryStore
from .stores.redis import RedisStore

_GEMINI = "https://generativelanguage.googleapis.com/v1beta/openai/"


def providers(settings: Settings, secrets: Secrets) -> dict[str, Provider]:
    """Every provider that is on, by name; the demo last, since bare model names go to the first."""
    found = {
        name: _KINDS[said.kind](name, said, settings, secrets)
        for name, said in settings.providers.items()
    }
    return found | ({"demo": Demo(settings.demo_pace)} if settings.demo else {})


def store(settings: Settings, lookup: Callable[[str], str]) -> Store:
    """The store that the settings name.

    Args:
        settings: What to use.
        lookup: The value of a reference (``env:NAME``, ``ssm:/path``).

    Raises:
        ProxyError: The reference leads to something else (``bad_setting``), or nowhere.
    """
    said = settings.store
    url = store_url(lookup(said)) if is_reference(said) else said
    keep = Keep(settings.timeout_total + settings.retention, settings.retention)
    scheme, _, place = url.partition("://")
    if scheme == "memory":
        return MemoryStore(keep)
    timeout = store_timeout(settings.lease)
    if scheme == "dynamodb":
        return DynamoDBStore(place, keep, timeout)
    return RedisStore(url, keep, timeout)


def store_timeout(lease: float) -> float:
    """Seconds that one answer of a store may take: one that never comes must not cost a lease."""
    return min(2.0, max(1.0, lease / 3))


def foreign(settings: Settings) -> str | None:
    """The first provider that takes names with the prefix of no provider; None without one."""
    return next((name for name, said in settings.providers.items() if said.foreign_names), None)


def off(settings: Settings) -> dict[str, str]:
    """The kinds of provider that are not on, and what would turn them on."""
    on = {said.kind for said in settings.providers.values()}
    missing = {kind: f"{kind.upper()}_API_KEY is not set" for kind in KINDS if kind not in on}
    return missing | (
        {} if "bedrock" in on else {"bedrock": "no AWS credentials and region are set"}
    )


def _openai(name: str, said: ProviderSettings, settings: Settings, secrets: Secrets) -> Provider:
    config = _config(said, settings, secrets, said.base_url)
    return openai.OpenAI(name, secrets.key(said.key or NO_KEY), config)


def _gemini(name: str, said: ProviderSettings, settings: Settings, secrets: Secrets) -> Provider:
    # Google's own endpoint for the OpenAI SDKs.
    config = _config(said, settings, secrets, said.base_url or _GEMINI)
    return openai.OpenAI(name, secrets.key(said.key or NO_KEY), config, chat_bodies.for_google)


def _anthropic(name: str, said: ProviderSettings, settings: Settings, secrets: Secrets) -> Provider:
    return _native(name, said, settings, secrets, anthropic.API)


def _gemini_native(
    name: str, said: ProviderSettings, settings: Settings, secrets: Secrets
) -> Provider:
    return _native(name, said, settings, secrets, gemini.API)


def _native(
    name: str, said: ProviderSettings, settings: Settings, secrets: Secrets, api: native.Api
) -> Provider:
    # People write the address as other SDKs want it.
    base_url = said.base_url and said.base_url.rstrip("/").removesuffix("/v1")
    config = _config(said, settings, secrets, base_url)
    return native.Native(name, secrets.key(said.key or NO_KEY), config, api)


def _config(
    said: ProviderSettings, settings: Settings, secrets: Secrets, base_url: str | None
) -> Config:
    return Config(
        base_url=base_url,
        connect_timeout=settings.timeout_connect,
        max_retries=said.max_retries,
        headers=_plain(said.headers),
        query=_plain(said.query),
        secret_headers=_secret(said.headers, secrets),
        secret_query=_secret(said.query, secrets),
        sdk=settings.openai_sdk,
        models=said.models,
    )


def _bedrock(name: str, said: ProviderSettings, settings: Settings, secrets: Secrets) -> Provider:
    return bedrock.Bedrock(name, _bedrock_config(name, said, settings), bedrock.CONVERSE)


def _bedrock_openai(
    name: str, said: ProviderSettings, settings: Settings, secrets: Secrets
) -> Provider:
    return bedrock.Bedrock(name, _bedrock_config(name, said, settings), bedrock.OPENAI)


def _bedrock_config(name: str, said: ProviderSettings, settings: Settings) -> bedrock.Config:
    if said.key or said.headers or said.query:
        raise ProxyError(
            f"Bad setting: providers.{name} is signed with AWS credentials; it takes no key, "
            "headers or query.",
            code="bad_setting",
        )
    return bedrock.Config(
        region=said.region or "us-east-1",
        base_url=said.base_url,
        connect_timeout=settings.timeout_connect,
        max_retries=said.max_retries,
        models=said.models,
    )


_KINDS: dict[str, Callable[[str, ProviderSettings, Settings, Secrets], Provider]] = {
    "openai": _openai,
    "gemini": _gemini,
    "gemini-native": _gemini_native,
    "anthropic": _anthropic,
    "bedrock": _bedrock,
    "bedrock-openai": _bedrock_openai,
}


def _plain(said: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in said.items() if not is_reference(value)}


def _secret(said: Mapping[str, str], secrets: Secrets) -> dict[str, SecretKey]:
    return {name: secrets.key(value) for name, value in said.items() if is_reference(value)}
