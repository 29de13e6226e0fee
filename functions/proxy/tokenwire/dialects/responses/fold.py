"""Fold the blocks of a stream into one response object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ...sse import data_of
from ..protocol import JSON
from ..reading import malformed, read
from ..terminator import is_done

_JSON = msgspec.json.Decoder(dict[str, Any])


def fold(blocks: Iterable[bytes]) -> JSON:
    """Return the response object of the last event that has one.

    Raises:
        UpstreamError: No event has one (``upstream_malformed``).
    """
    found: Any = None
    for block in blocks:
        if not is_done(block):
            found = read(data_of(block) or b"{}", _JSON).get("response", found)
    if not isinstance(found, dict):
        raise malformed()
    return found
