"""The ``events`` dialect: one small JSON object per event, for custom front ends.

    data: {"type":"start","id":"st_…","model":"…","created":1}
    data: {"type":"content","delta":"…"}
    data: {"type":"finish","reason":"stop"}
    data: [DONE]

Fields with their default values (choice 0, no refusal, no cached tokens) are omitted. A stream
that did not complete ends with an ``error`` event, and without ``[DONE]``.
"""

from __future__ import annotations

from ..chat.request import to_chat
from ..protocol import Dialect
from .decode import EventsDecoder
from .encode import EventsEncoder, error_body
from .endpoint import BODY, ENDPOINT
from .fold import fold
from .request import parse

__all__ = ["BODY", "DIALECT", "EventsDecoder", "EventsEncoder", "error_body", "fold", "parse"]

DIALECT = Dialect(
    "events",
    EventsDecoder,
    EventsEncoder,
    parse,
    error_body,
    fold,
    to_chat,
    endpoint=ENDPOINT,
    resumes=True,
)
