"""The catalog: which provider answers for which model name."""

from __future__ import annotations

import asyncio
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..errors import ClientError
from ..providers.protocol import Provider

# What a provider may be called. An ARN has slashes too, but no such prefix.
_PREFIX = re.compile(r"[\w-]+", re.ASCII)
_LONGEST = 64
"""Characters of a name that are compared with those there are."""


@dataclass(frozen=True, slots=True)
class Route:
    """A provider, and the model by the provider's own name for it."""

    provider: Provider
    model: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom to ask, in order; each but the last has so many seconds for its first content."""

    routes: tuple[Route, ...]
    patience: float = 30.0


class Alias(Protocol):
    """What a model's name stands for."""

    @property
    def route(self) -> Sequence[str]:
        """``provider/model`` names, in order."""

    @property
    def patience(self) -> float:
        """Seconds that each but the last has for its first content."""


class Catalog:
    """Resolves ``provider/model``, aliases, and bare names. The caller never names a host.

    Args:
        providers: Those that are on, by name; the first is where bare names go.
        aliases: What names stand for.
        default: What a request without a model gets; a ``provider/model`` or an alias.
        off: Providers that are known but not on, and why.
        foreign: The provider that takes names whose prefix is no provider's.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        aliases: Mapping[str, Alias],
        default: str,
        off: Mapping[str, str] | None = None,
        foreign: str | None = None,
    ) -> None:
        self._providers = dict(providers)
        self._aliases = dict(aliases)
        self.default = default
        self.off = dict(off or {})
        self._foreign = None if foreign is None else self._providers[foreign]

    def resolve(self, model: str) -> Plan:
        """Where this model is answered, in order. An empty name means the default.

        Raises:
            ClientError: Nobody answers for it (404, ``model_not_found``).
        """
        alias = self._alias(model or self.default)
        if alias is None:
            return Plan((self._route(model or self.default),))
        return Plan(tuple(self._route(name) for name in alias.route), alias.patience)

    def _alias(self, name: str) -> Alias | None:
        found = self._aliases.get(name)
        if found is None or len(found.route) != 1:
            return found
        return self._aliases.get(found.route[0], found)  # an alias of an alias

    def _route(self, name: str) -> Route:
        prefix, slash, rest = name.partition("/")
        if slash and rest and prefix in self._providers:
            return Route(self._providers[prefix], rest)
        if slash and rest and _PREFIX.fullmatch(prefix):
            if self._foreign is None:
                raise self._unknown(prefix)
            return Route(self._foreign, name)
        # An app that only changed its base URL says "gpt-5".
        fallback = next((p for n, p in self._providers.items() if n != "demo"), None)
        if fallback is not None and name:
            return Route(fallback, name)
        raise self._unknown(name)

    async def check(self, model: str) -> None:
        """Find the model among what its provider offers, where the provider says what it does.

        Raises:
            ClientError: Nobody answers for it (404, ``model_not_found``).
        """
        first = self.resolve(model).routes[0]
        if self._alias(model) is None:
            offered = await first.provider.models()
            if offered and first.model not in offered:
                raise self._unknown(model)

    def _unknown(self, word: str) -> ClientError:
        """The error for a name that nobody answers for, with the nearest that somebody does."""
        known = {name.lower(): name for name in (*self._aliases, *self._providers)}
        near = difflib.get_close_matches(word[:_LONGEST].lower(), known, n=1)
        hint = f" Did you mean {self._shown(known[near[0]])}?" if near else ""
        return ClientError(
            f"There is no such model here; GET /v1/models lists those there are.{hint}",
            code="model_not_found",
            status=404,
            param="model",
        )

    def _shown(self, name: str) -> str:
        return f"{name}/…" if name in self._providers else name

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
