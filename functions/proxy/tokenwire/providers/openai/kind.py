"""The kind ``openai``: OpenAI, and servers that are compatible with its Chat Completions API."""

from __future__ import annotations

from ..kind import Dependencies, ProviderKind, by_key
from ..protocol import Provider
from ..settings import KeySettings


def _create(name: str, settings: KeySettings, dependencies: Dependencies) -> Provider:
    from ..config import configured
    from .provider import OpenAIProvider

    config = configured(settings, dependencies)
    return OpenAIProvider(name, dependencies.key(settings.key), config)


OPENAI = ProviderKind(
    name="openai",
    settings=KeySettings,
    create=_create,
    from_environment=by_key("OPENAI"),
    off="OPENAI_API_KEY is not set",
    prefers=("gpt-*-mini", "gpt-?", "gpt-?.?", "gpt-*"),
)
