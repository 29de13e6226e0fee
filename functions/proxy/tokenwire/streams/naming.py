"""Names by which callers find streams: chat ids and idempotency keys."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import Protocol

from ..stores.contract import NameBinding, Names
from ..stores.memory import StreamNames
from .stream import Stream

MAX_PENDING = 100
"""Streams that have claimed a name and have not started. Past this, the oldest loses its names."""


class Naming(Protocol):
    """The names of one process's callers, as ``name_key`` makes them."""

    async def claim(
        self, key: str, binding: NameBinding, instead_of: NameBinding | None
    ) -> NameBinding | None:
        """As ``Names.claim``, for a stream that is about to start."""

    async def name(self, key: str, stream: Stream) -> None:
        """Bind the name to a stream, replacing an earlier binding."""

    async def lookup(self, key: str) -> NameBinding | None:
        """Return what the name is bound to; None if it is not bound."""

    async def started(self, stream_id: str) -> None:
        """Record that a stream runs here, which may have claimed names."""

    def forget(self, stream_id: str) -> None:
        """Remove the names of a stream that is no longer held here."""


class LocalNaming:
    """Names for streams that only this process has."""

    def __init__(self) -> None:
        self._names = StreamNames()
        self._pending: OrderedDict[str, None] = OrderedDict()

    async def claim(
        self, key: str, binding: NameBinding, instead_of: NameBinding | None
    ) -> NameBinding | None:
        """As ``Naming.claim``."""
        found = await self._names.claim(key, binding, instead_of)
        if found is None:
            self._pending[binding.stream] = None
            if len(self._pending) > MAX_PENDING:
                oldest, _ = self._pending.popitem(last=False)
                self._names.forget(oldest)
        return found

    async def name(self, key: str, stream: Stream) -> None:
        """As ``Naming.name``."""
        await self._names.name(key, NameBinding(stream.meta.id))

    async def lookup(self, key: str) -> NameBinding | None:
        """As ``Naming.lookup``."""
        return await self._names.lookup(key)

    async def started(self, stream_id: str) -> None:
        """As ``Naming.started``."""
        self._pending.pop(stream_id, None)

    def forget(self, stream_id: str) -> None:
        """As ``Naming.forget``."""
        self._names.forget(stream_id)


class StoreNaming:
    """Names in a store, and those of this process's streams here too: the store may lose them.

    Args:
        store: Where the names are.
    """

    def __init__(self, store: Names) -> None:
        self._store = store
        self._local = StreamNames()
        self._pending: OrderedDict[str, list[tuple[str, NameBinding]]] = OrderedDict()

    async def claim(
        self, key: str, binding: NameBinding, instead_of: NameBinding | None
    ) -> NameBinding | None:
        """As ``Naming.claim``."""
        found = await self._store.claim(key, binding, instead_of)
        if found is None:
            self._pending.setdefault(binding.stream, []).append((key, binding))
            if len(self._pending) > MAX_PENDING:
                self._pending.popitem(last=False)
        return found

    async def name(self, key: str, stream: Stream) -> None:
        """As ``Naming.name``."""
        binding = NameBinding(stream.meta.id)
        await self._store.name(key, binding)
        if stream.is_ours:
            await self._local.name(key, binding)

    async def lookup(self, key: str) -> NameBinding | None:
        """As ``Naming.lookup``. A name that the store has lost may still be here."""
        return await self._store.lookup(key) or await self._local.lookup(key)

    async def started(self, stream_id: str) -> None:
        """As ``Naming.started``."""
        for key, binding in self._pending.pop(stream_id, ()):
            await self._local.name(key, binding)

    def of(self, stream_id: str) -> list[tuple[str, NameBinding]]:
        """Return the names of a stream that runs here, each with its value."""
        return self._local.of(stream_id)

    def forget(self, stream_id: str) -> None:
        """As ``Naming.forget``."""
        self._local.forget(stream_id)


def name_key(name: str, owner: str) -> str:
    """Return a key that reveals neither name nor owner, and differs from every other owner's."""
    return sha256(f"{owner}\0{name}".encode()).hexdigest()
