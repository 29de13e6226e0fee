"""The kinds of provider: the built-in ones, one line each, and those of installed packages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from .. import plugins
from .anthropic.kind import ANTHROPIC
from .bedrock.kind import BEDROCK, BEDROCK_OPENAI
from .demo.kind import DEMO
from .gemini.kind import GEMINI, GEMINI_NATIVE
from .kind import ProviderKind
from .openai.kind import OPENAI

ProviderKinds: TypeAlias = Mapping[str, ProviderKind[Any]]

# Order matters: a bare model name goes to the first provider that is on and no stand-in.
_BUILT_IN: tuple[ProviderKind[Any], ...] = (
    OPENAI,
    ANTHROPIC,
    GEMINI,
    GEMINI_NATIVE,
    BEDROCK,
    BEDROCK_OPENAI,
    DEMO,
)


def load_provider_kinds(points: plugins.Published) -> ProviderKinds:
    """Return every kind of provider by name.

    Raises:
        ProxyError: A published kind cannot be used (``bad_setting``).
    """
    built_in = {kind.name: kind for kind in _BUILT_IN}
    return plugins.extended(built_in, plugins.PROVIDERS, ProviderKind, points)
