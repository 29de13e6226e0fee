"""The Redis store's entry in the registry."""

from __future__ import annotations

from ..contract import Store
from ..kind import StoreKind, StoreOptions


def _create(url: str, options: StoreOptions) -> Store:
    from .store import RedisStore  # only where it is used: a start has no time for the others

    return RedisStore(url, options.keep, options.timeout)


REDIS = StoreKind(
    name="redis",
    schemes=("redis", "rediss"),
    form="redis://HOST, rediss://HOST",
    pattern=r"\S+",
    create=_create,
    description="in redis",
)
