"""The settings that providers have in common: one ``[providers.NAME]`` of ``tokenwire.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta, Struct

from ..references import PATTERN

# A key written in the file itself would be copied with the file, so only a reference is accepted.
Reference = Annotated[str, Meta(pattern=PATTERN)]


class ProviderSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of every kind of provider. A kind that has more derives its own class.

    Args:
        kind: The name of a registered kind.
        foreign_names: Whether the provider gets model names such as ``vendor/model`` whose
            first part is the name of no provider here (OpenRouter).
        base_url: The address, if it is not the kind's own.
        models: The models to list, instead of asking the provider for them.
        max_retries: Retries before the response begins.
    """

    kind: str = "openai"
    foreign_names: bool = False
    base_url: str | None = None
    models: tuple[str, ...] = ()
    max_retries: Annotated[int, Meta(ge=0, le=10)] = 2

    def secrets(self) -> Mapping[str, str]:
        """Return the values that may be references to secrets, by the path of their field."""
        return {}

    def __repr__(self) -> str:
        """Return the name of the class alone: headers can hold keys too."""
        return f"{type(self).__name__}(…)"


class KeySettings(ProviderSettings, frozen=True, kw_only=True):
    """Settings of a provider that is called with an API key.

    Args:
        key: A reference, ``env:NAME`` or ``ssm:/path``; None if the provider needs no key.
        headers: Sent with every request; a value may be a reference.
        query: Added to every URL; a value may be a reference.
    """

    key: Reference | None = None
    headers: dict[str, str] = {}
    query: dict[str, str] = {}

    def secrets(self) -> Mapping[str, str]:
        """Return the key, the headers and the query parameters."""
        return {
            **({} if self.key is None else {"key": self.key}),
            **{f"headers.{name}": value for name, value in self.headers.items()},
            **{f"query.{name}": value for name, value in self.query.items()},
        }
