"""The memory store's entry in the registry."""

from __future__ import annotations

from ..kind import StoreKind, StoreOptions
from .store import MemoryStore


def _create(url: str, options: StoreOptions) -> MemoryStore:
    return MemoryStore(options.keep)


MEMORY = StoreKind("memory", ("memory",), "memory://", "", _create)
