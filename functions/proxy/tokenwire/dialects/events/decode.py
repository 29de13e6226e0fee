"""Decode typed events."""

from __future__ import annotations

from typing import Any

import msgspec

from ...events import Event
from ...sse import data_of
from ..reading import read
from ..terminator import is_done
from .encode import TYPES


class _Typed(msgspec.Struct):
    type: str


_TYPED = msgspec.json.Decoder(_Typed)
_DECODERS: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(kind) for name, kind in TYPES.items()
}


class EventsDecoder:
    """Decoder of the blocks that ``EventsEncoder`` writes."""

    may_lack_end = False

    def notable(self, block: bytes) -> bool:
        """Return True always: no provider speaks this dialect, so blocks never pass unread."""
        return True

    def ends(self, block: bytes) -> bool:
        """Return whether the block is ``data: [DONE]``."""
        return is_done(block)

    def decode(self, block: bytes) -> list[Event]:
        """Return the event; nothing for the terminator or a type from a later version.

        Raises:
            UpstreamError: The block is not a typed event (``upstream_malformed``).
        """
        data = data_of(block)
        if not data or self.ends(block):
            return []
        decoder = _DECODERS.get(read(data, _TYPED).type)
        return [] if decoder is None else [read(data, decoder)]
