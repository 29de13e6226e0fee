"""The Redis store's entry in the registry."""

from __future__ import annotations

from ..kind import StoreKind, StoreOptions
from .store import RedisStore


def _create(url: str, options: StoreOptions) -> RedisStore:
    return RedisStore(url, options.keep, options.timeout)


REDIS = StoreKind("redis", ("redis", "rediss"), "redis://HOST, rediss://HOST", r"\S+", _create)
