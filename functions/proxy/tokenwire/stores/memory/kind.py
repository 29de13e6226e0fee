"""The memory store's entry in the registry."""

from __future__ import annotations

from ..kind import StoreKind, StoreOptions
from .store import MemoryStore


def _create(url: str, options: StoreOptions) -> MemoryStore:
    return MemoryStore(options.keep)


MEMORY = StoreKind(
    name="memory",
    schemes=("memory",),
    form="memory://",
    pattern="",
    create=_create,
    description="in this process; TOKENWIRE_STORE=redis://… lets others share them",
)
