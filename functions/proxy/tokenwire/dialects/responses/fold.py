"""Fold the blocks of a stream into one response object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...sse import data_of
from ..protocol import JSON
from ..reading import malformed, read_object
from ..terminator import is_done


def fold(blocks: Iterable[bytes]) -> JSON:
    """Return the response object of the last event that has one.

    Raises:
        UpstreamError: No event has one (``upstream_malformed``).
    """
    found: Any = None
    for block in blocks:
        if not is_done(block):
            found = read_object(data_of(block) or b"{}").get("response", found)
    if not isinstance(found, dict):
        raise malformed()
    return found
