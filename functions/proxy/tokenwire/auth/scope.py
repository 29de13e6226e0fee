"""The headers of a request, from its ASGI scope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def headers_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers by name in lower case; values of a repeated header joined by commas."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        # All values count: a proxy may add one of its own to that of its client.
        found[name] = f"{found[name]},{value}" if name in found else value
    return found
