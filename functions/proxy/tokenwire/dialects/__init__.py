"""Client dialects: each has a decoder, an encoder and a request translation."""

from __future__ import annotations

from .protocol import Dialect
from .registry import DIALECTS

__all__ = ["DIALECTS", "Dialect"]
