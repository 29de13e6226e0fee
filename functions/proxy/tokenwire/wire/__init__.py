"""The dialects: one module each, with a decoder, an encoder and the request's translation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import chat, events
from .protocol import Dialect

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {dialect.name: dialect for dialect in (chat.DIALECT, events.DIALECT)}
)
"""Every dialect by its name, as in ``?format=``."""

__all__ = ["DIALECTS", "Dialect"]
