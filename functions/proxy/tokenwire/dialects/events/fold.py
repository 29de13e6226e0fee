"""Fold the blocks of a stream into one JSON object."""

from __future__ import annotations

from collections.abc import Iterable

from ..protocol import JSON
from .decode import EventsDecoder
from .encode import body_of


def fold(blocks: Iterable[bytes]) -> JSON:
    """The events, in a list: this dialect has no other way to say a whole answer."""
    decoder = EventsDecoder()
    return {"events": [body_of(event) for block in blocks for event in decoder.decode(block)]}
