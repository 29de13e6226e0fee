"""The catalog: resolves a model's name to providers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from ..errors import ClientError
from ..providers.protocol import Provider
from ..spelling import nearest

# A provider's name. An ARN has slashes too, but no such prefix.
_PREFIX = re.compile(r"[\w-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Route:
    """A provider, and the provider's own name of the model."""

    provider: Provider
    model: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The routes to try, in order.

    ``patience`` is the seconds that each but the last has for its first content.
    """

    routes: tuple[Route, ...]
    patience: float = 30.0


class Alias(Protocol):
    """The routes of an alias."""

    @property
    def route(self) -> Sequence[str]:
        """``provider/model`` names, in order."""

    @property
    def patience(self) -> float:
        """Seconds that each route but the last has for its first content."""


class Catalog:
    """Resolves ``provider/model``, aliases, and bare names. The caller never names a host.

    Args:
        providers: The providers that are on, by name.
        aliases: The aliases by name.
        default: The configured model of a request without one: a ``provider/model`` or an alias;
            empty if none is configured (``defaults``).
        off: The providers that are known but not on, and why.
        foreign: The provider of names whose prefix is not a provider's name.
        stand_ins: The providers that get no bare names; those go to the first of the others.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        aliases: Mapping[str, Alias],
        default: str,
        off: Mapping[str, str] | None = None,
        foreign: str | None = None,
        stand_ins: Collection[str] = (),
    ) -> None:
        self._providers = dict(providers)
        self._aliases = dict(aliases)
        self.default = default
        self.off = dict(off or {})
        real = (p for n, p in self._providers.items() if n not in stand_ins)
        self._bare = next(real, None)
        self._foreign = None if foreign is None else self._providers[foreign]

    def resolve(self, model: str) -> Plan:
        """Return the routes of a model, in order.

        Raises:
            ClientError: No provider has it (404, ``model_not_found``).
        """
        alias = self._alias(model)
        if alias is None:
            return Plan((self._route(model),))
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
        # An app of which only the base URL was changed sends "gpt-5".
        if self._bare is not None and name:
            return Route(self._bare, name)
        raise self._unknown(name)

    async def check(self, model: str) -> None:
        """Check that the model's provider lists it, if the provider lists its models.

        Raises:
            ClientError: No provider has it (404, ``model_not_found``).
        """
        first = self.resolve(model).routes[0]
        if self._alias(model) is None:
            offered = await first.provider.models()
            if offered and first.model not in offered:
                raise self._unknown(model)

    def _unknown(self, word: str) -> ClientError:
        """Return the error for an unknown name, with the nearest known one."""
        near = nearest(word, (*self._aliases, *self._providers))
        hint = f" Did you mean {self._shown(near)}?" if near else ""
        return ClientError(
            f"There is no such model. GET /v1/models lists the available ones.{hint}",
            code="model_not_found",
            status=404,
            param="model",
        )

    def _shown(self, name: str) -> str:
        return f"{name}/…" if name in self._providers else name

    @property
    def status(self) -> dict[str, str]:
        """The dialect of each provider that is on, by the provider's name."""
        return {name: provider.dialect for name, provider in self._providers.items()}

    async def names(self) -> list[str]:
        """Return every name that a request may use: aliases, then each provider's models."""
        offers = await asyncio.gather(*(p.models() for p in self._providers.values()))
        offered = [
            f"{name}/{model}"
            for name, models in zip(self._providers, offers, strict=True)
            for model in models
        ]
        return [*self._aliases, *offered]

    async def prepare(self) -> None:
        """Prepare every provider for its first request."""
        await asyncio.gather(*(p.prepare() for p in self._providers.values()))

    async def aclose(self) -> None:
        """Close every provider."""
        await asyncio.gather(*(p.aclose() for p in self._providers.values()))
