"""A store in one file, outside the package: memory that apps of one process share by name."""

from __future__ import annotations

from tokenwire.stores.kind import StoreKind, StoreOptions
from tokenwire.stores.memory import MemoryStore

ROOMS: dict[str, MemoryStore] = {}
"""The stores that were made, by address."""


def _create(url: str, options: StoreOptions) -> MemoryStore:
    return ROOMS.setdefault(url, MemoryStore(options.keep, shared=True))


KIND = StoreKind(
    name="toy",
    schemes=("toy",),
    form="toy://ROOM",
    pattern=r"[a-z-]{1,20}",
    create=_create,
    description="in a toy",
)
