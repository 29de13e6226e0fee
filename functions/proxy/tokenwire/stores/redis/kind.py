"""The Redis store's entry in the registry."""

from __future__ import annotations

from ..kind import StoreKind, StoreOptions
from .store import RedisStore


def _create(url: str, options: StoreOptions) -> RedisStore:
    return RedisStore(url, options.keep, options.timeout)


REDIS = StoreKind(
    name="redis",
    schemes=("redis", "rediss"),
    form="redis://HOST, rediss://HOST",
    pattern=r"\S+",
    create=_create,
    description="in redis",
)
