"""Fold the blocks of a stream into one JSON object."""

from __future__ import annotations

from collections.abc import Iterable

from ...sse import data_of
from ..protocol import JSON
from ..reading import read_object
from ..terminator import is_done


def fold(blocks: Iterable[bytes]) -> JSON:
    """Return a list of the parts: this dialect has no non-streaming form."""
    parts = (data_of(block) or b"{}" for block in blocks if not is_done(block))
    return {"parts": [read_object(data) for data in parts]}
