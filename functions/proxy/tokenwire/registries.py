"""Everything that settings can name: the registries, filled once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .auth.registry import Methods, methods
from .dialects import Dialect
from .dialects.registry import load
from .plugins import published
from .providers.registry import Kinds, kinds
from .stores.registry import StoreKinds, store_kinds


@dataclass(frozen=True, slots=True)
class Registries:
    """What is built in, and what installed packages publish through entry points.

    Args:
        providers: Kinds of provider by name.
        auth: Ways of authenticating callers by name.
        dialects: Dialects of clients by name.
        stores: Kinds of store by name.
    """

    providers: Kinds
    auth: Methods
    dialects: Mapping[str, Dialect]
    stores: StoreKinds

    @classmethod
    def load(cls) -> Registries:
        """Fill the registries; imports what installed packages publish.

        Raises:
            ProxyError: A published object cannot be used (``bad_setting``).
        """
        points = published()
        return cls(
            providers=kinds(points),
            auth=methods(points),
            dialects=load(points),
            stores=store_kinds(points),
        )
