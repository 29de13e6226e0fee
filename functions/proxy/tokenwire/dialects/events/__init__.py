"""The ``events`` dialect: one small JSON object per event, for front ends of one's own.

    data: {"type":"start","id":"st_…","model":"…","created":1}
    data: {"type":"content","delta":"…"}
    data: {"type":"finish","reason":"stop"}
    data: [DONE]

Fields that say nothing (choice 0, no refusal, no cached tokens) are left out. A stream that is
not whole ends with an ``error`` event, and without ``[DONE]``.
"""

from __future__ import annotations

from ..chat.request import to_chat
from ..protocol import Dialect
from .decode import EventsDecoder
from .encode import EventsEncoder, error_body
from .fold import fold
from .request import parse

__all__ = ["DIALECT", "EventsDecoder", "EventsEncoder", "error_body", "fold", "parse"]

DIALECT = Dialect("events", EventsDecoder, EventsEncoder, parse, error_body, fold, to_chat)
