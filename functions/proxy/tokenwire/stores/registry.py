"""The kinds of store: the built-in ones, one line each, and those of installed packages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from .. import plugins
from ..errors import bad_setting
from .dynamodb.kind import DYNAMODB
from .kind import StoreKind
from .memory.kind import MEMORY
from .redis.kind import REDIS

StoreKinds: TypeAlias = Mapping[str, StoreKind]

_BUILT_IN = (MEMORY, REDIS, DYNAMODB)


def load_store_kinds(points: plugins.Published) -> StoreKinds:
    """Return every kind of store by name.

    Raises:
        ProxyError: A published kind cannot be used (``bad_setting``).
    """
    built_in = {kind.name: kind for kind in _BUILT_IN}
    return plugins.extended(built_in, plugins.STORES, StoreKind, points)


def kind_of(url: str, known: StoreKinds, name: str = "store") -> StoreKind:
    """Return the kind of the store at this address.

    Args:
        url: The address.
        known: The kinds by name.
        name: Of the setting, for the message.

    Raises:
        ProxyError: It is no such address (``bad_setting``). The message does not quote it: it may
            hold a password.
    """
    found = next((kind for kind in known.values() if kind.accepts(url)), None)
    if found is None:
        forms = ", ".join(kind.form for kind in known.values())
        raise bad_setting(f"{name} must be, or lead to, one of {forms}, env:NAME or ssm:/path")
    return found
