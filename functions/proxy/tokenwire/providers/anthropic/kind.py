"""The kind ``anthropic``: the Messages API."""

from __future__ import annotations

from ..kind import Dependencies, ProviderKind, by_key
from ..protocol import Provider
from ..settings import KeySettings


def _create(name: str, settings: KeySettings, dependencies: Dependencies) -> Provider:
    from ..native import create
    from .provider import API

    return create(name, settings, dependencies, API)


ANTHROPIC = ProviderKind(
    name="anthropic",
    settings=KeySettings,
    create=_create,
    from_environment=by_key("ANTHROPIC"),
    off="ANTHROPIC_API_KEY is not set",
    prefers=("claude-haiku-*", "claude-sonnet-*", "claude-*"),
    otel_name="anthropic",
)
