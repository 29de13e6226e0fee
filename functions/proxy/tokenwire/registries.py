"""Everything that settings can name: the registries, filled once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .auth.registry import AuthMethods, load_auth_methods
from .dialects import Dialect
from .dialects.registry import load_dialects
from .plugins import published
from .providers.registry import ProviderKinds, load_provider_kinds
from .stores.registry import StoreKinds, load_store_kinds


@dataclass(frozen=True, slots=True)
class Registries:
    """What is built in, and what installed packages publish through entry points.

    Args:
        providers: ProviderKinds of provider by name.
        auth: Ways of authenticating callers by name.
        dialects: Dialects of clients by name.
        stores: Kinds of store by name.
    """

    providers: ProviderKinds
    auth: AuthMethods
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
            providers=load_provider_kinds(points),
            auth=load_auth_methods(points),
            dialects=load_dialects(points),
            stores=load_store_kinds(points),
        )
