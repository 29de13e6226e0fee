"""Names for streams, where there is no store to keep them."""

from __future__ import annotations

from .store import Named


class MemoryNames:
    """Names that last as long as what they stand for. Keeps the contract of ``store.Names``."""

    def __init__(self) -> None:
        self._names: dict[str, Named] = {}
        self._of: dict[str, list[str]] = {}

    async def claim(self, name: str, meant: Named, instead_of: Named | None = None) -> Named | None:
        """As ``Names.claim``."""
        found = self._names.get(name)
        if found not in (None, instead_of, meant):
            return found
        await self.name(name, meant)
        return None

    async def name(self, name: str, meant: Named) -> None:
        """As ``Names.name``."""
        self._names[name] = meant
        self._of.setdefault(meant.stream, []).append(name)

    async def named(self, name: str) -> Named | None:
        """As ``Names.named``."""
        return self._names.get(name)

    def forget(self, stream_id: str) -> None:
        """Nobody can have this stream any more."""
        for name in self._of.pop(stream_id, ()):
            if self._names[name].stream == stream_id:
                del self._names[name]
