"""The demo provider: an answer without a key, a network or a model."""

from .provider import Demo

__all__ = ["Demo"]
