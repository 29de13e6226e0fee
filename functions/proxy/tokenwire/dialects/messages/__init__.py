"""The ``messages`` dialect: Anthropic Messages.

https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

import re

from ..protocol import Dialect
from .decode import MessagesDecoder
from .encode import MessagesEncoder, error_body
from .endpoint import ENDPOINT
from .fold import fold
from .request import parse, to_chat

__all__ = [
    "DIALECT",
    "MessagesDecoder",
    "MessagesEncoder",
    "error_body",
    "fold",
    "parse",
    "to_chat",
]

_FORWARDED = {
    "anthropic-version": re.compile(r"[A-Za-z0-9.-]{1,32}"),
    "anthropic-beta": re.compile(r"[A-Za-z0-9._, -]{1,2048}"),
}
DIALECT = Dialect(
    "messages",
    MessagesDecoder,
    MessagesEncoder,
    parse,
    error_body,
    fold,
    to_chat,
    forwarded=_FORWARDED,
    endpoint=ENDPOINT,
)
