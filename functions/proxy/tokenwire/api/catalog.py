"""The catalog: which provider answers for which model name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import ClientError
from ..providers.protocol import Provider


@dataclass(frozen=True, slots=True)
class Route:
    """A provider, and the model by the provider's own name for it."""

    provider: Provider
    model: str


class Catalog:
    """Resolves ``provider/model``, aliases, and bare names. The caller never names a host.

    Args:
        providers: Those that are on, by name; the first is where bare names go.
        aliases: Alias to ``provider/model``.
        default: What a request without a model gets; a ``provider/model`` or an alias.
    """

    def __init__(
        self, providers: Mapping[str, Provider], aliases: Mapping[str, str], default: str
    ) -> None:
        self._providers = dict(providers)
        self._aliases = dict(aliases)
        self.default = default

    def resolve(self, model: str) -> Route:
        """Where this model is answered. An empty name means the default.

        Raises:
            ClientError: Nobody answers for it (404, ``model_not_found``).
        """
        name = self._aliases.get(model or self.default, model or self.default)
        name = self._aliases.get(name, name)
        prefix, slash, rest = name.partition("/")
        if slash and rest and prefix in self._providers:
            return Route(self._providers[prefix], rest)
        # An app that only changed its base URL says "gpt-5"; OpenRouter's own names have
        # slashes. Both mean the provider that bare names go to.
        fallback = next((p for n, p in self._providers.items() if n != "demo"), None)
        if fallback is not None and name:
            return Route(fallback, name)
        raise ClientError(
            "There is no such model here; GET /v1/models lists those there are.",
            code="model_not_found",
            status=404,
            param="model",
        )

    @property
    def status(self) -> dict[str, str]:
        """Each provider that is on, and the dialect it speaks."""
        return {name: provider.dialect for name, provider in self._providers.items()}

    async def names(self) -> list[str]:
        """Every name that can be asked for: aliases first, then each provider's models."""
        offers = await asyncio.gather(*(p.models() for p in self._providers.values()))
        offered = [
            f"{name}/{model}"
            for name, models in zip(self._providers, offers, strict=True)
            for model in models
        ]
        return [*self._aliases, *offered]

    async def prepare(self) -> None:
        """Get every provider ready for its first request."""
        await asyncio.gather(*(p.prepare() for p in self._providers.values()))

    async def aclose(self) -> None:
        """Close every provider."""
        await asyncio.gather(*(p.aclose() for p in self._providers.values()))
