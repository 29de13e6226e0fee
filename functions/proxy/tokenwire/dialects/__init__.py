"""Registry of client dialects: each has a decoder, an encoder and a request translation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import chat, events, messages, responses, ui
from .protocol import Dialect

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {module.DIALECT.name: module.DIALECT for module in (chat, responses, messages, events, ui)}
)
"""Dialects by name, as used in ``?format=``."""

__all__ = ["DIALECTS", "Dialect"]
