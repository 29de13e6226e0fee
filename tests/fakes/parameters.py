"""Parameters of SSM in this process."""

from __future__ import annotations

from collections.abc import Mapping

from tokenwire.errors import ProxyError


class Parameters:
    """A store of secrets that records its requests and can be made to fail.

    Args:
        values: By name; their paths are ``/llm/NAME``.
    """

    def __init__(self, **values: str) -> None:
        self.values = {f"/llm/{name}": value for name, value in values.items()}
        self.requests: list[frozenset[str]] = []
        self.broken = False
        self.prepared = 0

    def prepare(self) -> None:
        """As ``Store.prepare``."""
        self.prepared += 1
        if self.broken:
            raise ProxyError("no", code="secret_unavailable")

    def fetch(self, paths: frozenset[str]) -> Mapping[str, str]:
        """As ``Store.fetch``."""
        self.requests.append(paths)
        if self.broken:
            raise ProxyError("no", code="secret_unavailable")
        return {path: self.values[path] for path in paths if path in self.values}
