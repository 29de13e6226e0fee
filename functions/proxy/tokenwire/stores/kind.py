"""A kind of store, as the registry lists it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from .contract import Keep, Store


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How a store is to be used.

    ``keep`` is for how long logs are kept; ``timeout`` is the number of seconds after which a
    request to the store has failed.
    """

    keep: Keep
    timeout: float


@dataclass(frozen=True, slots=True)
class StoreKind:
    """A kind of store, chosen by the scheme of its address.

    Args:
        name: The name shown to operators, such as ``redis``; never the address.
        schemes: The schemes of its addresses, such as ``redis`` and ``rediss``.
        form: What an address looks like, for error messages: ``redis://HOST``.
        pattern: A regular expression for what follows ``://``; it must match completely.
        create: Makes the store from its address. It does not connect yet.
        description: Where streams are kept, for the line that the server prints at its start.
        needs_aws: Whether it is a service of AWS, which needs a region and credentials.
    """

    name: str
    schemes: tuple[str, ...]
    form: str
    pattern: str
    create: Callable[[str, StoreOptions], Store]
    description: str
    needs_aws: bool = False

    def accepts(self, url: str) -> bool:
        """Return whether this is an address of this kind."""
        scheme, separator, place = url.partition("://")
        is_ours = bool(separator) and scheme in self.schemes
        return is_ours and re.fullmatch(self.pattern, place) is not None
