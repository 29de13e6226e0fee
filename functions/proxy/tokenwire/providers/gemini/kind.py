"""The kinds ``gemini`` and ``gemini-native``: Google's two APIs for the same models."""

from __future__ import annotations

from ..kind import Dependencies, ProviderKind, by_key
from ..protocol import Provider
from ..settings import KeySettings

_PREFERRED = ("*gemini-*-flash", "*gemini-*")
_COMPATIBLE = "https://generativelanguage.googleapis.com/v1beta/openai/"


def _create_compatible(name: str, settings: KeySettings, dependencies: Dependencies) -> Provider:
    from ..config import configured
    from ..openai.bodies import for_google
    from ..openai.provider import OpenAIProvider

    config = configured(settings, dependencies, settings.base_url or _COMPATIBLE)
    return OpenAIProvider(name, dependencies.key(settings.key), config, for_google)


def _create_native(name: str, settings: KeySettings, dependencies: Dependencies) -> Provider:
    from ..native import create
    from .provider import API

    return create(name, settings, dependencies, API)


GEMINI = ProviderKind(
    name="gemini",
    settings=KeySettings,
    create=_create_compatible,
    from_environment=by_key("GEMINI"),
    off="GEMINI_API_KEY is not set",
    prefers=_PREFERRED,
    otel_name="gcp.gemini",
)
"""Google's endpoint for the OpenAI SDKs."""

GEMINI_NATIVE = ProviderKind(
    name="gemini-native",
    settings=KeySettings,
    create=_create_native,
    family="gemini",
    prefers=_PREFERRED,
    otel_name="gcp.gemini",
)
"""Google's own API, for what the compatible endpoint leaves out."""
