"""Fold the blocks of a stream into one JSON object."""

from __future__ import annotations

from collections.abc import Iterable

from ..protocol import JSON
from .decode import EventsDecoder
from .encode import body_of


def fold(blocks: Iterable[bytes]) -> JSON:
    """Return a list of the events: this dialect has no non-streaming form."""
    decoder = EventsDecoder()
    return {"events": [body_of(event) for block in blocks for event in decoder.decode(block)]}
