"""Names for streams that one process holds."""

from __future__ import annotations

from ..contract import NameBinding


class StreamNames:
    """Names that last as long as their stream is held. Keeps the contract of ``Names``."""

    def __init__(self) -> None:
        self._names: dict[str, NameBinding] = {}
        self._by_stream: dict[str, set[str]] = {}

    async def claim(
        self, name: str, binding: NameBinding, instead_of: NameBinding | None = None
    ) -> NameBinding | None:
        """As ``Names.claim``."""
        found = self._names.get(name)
        if found not in (None, instead_of, binding):
            return found
        await self.name(name, binding)
        return None

    async def name(self, name: str, binding: NameBinding) -> None:
        """As ``Names.name``."""
        before = self._names.get(name)
        if before is not None:
            self._release(name, before.stream)
        self._names[name] = binding
        self._by_stream.setdefault(binding.stream, set()).add(name)

    async def lookup(self, name: str) -> NameBinding | None:
        """As ``Names.lookup``."""
        return self._names.get(name)

    def of(self, stream_id: str) -> list[tuple[str, NameBinding]]:
        """Return the names of this stream, each with its value."""
        return [(name, self._names[name]) for name in self._by_stream.get(stream_id, ())]

    def forget(self, stream_id: str) -> None:
        """Remove every name of a stream that is no longer held."""
        for name in self._by_stream.pop(stream_id, ()):
            self._names.pop(name, None)

    def _release(self, name: str, stream_id: str) -> None:
        names = self._by_stream[stream_id]
        names.discard(name)
        if not names:
            del self._by_stream[stream_id]
