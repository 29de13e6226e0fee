"""The ``messages`` dialect: Anthropic Messages.

https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

import re

from .messages_decoder import MessagesDecoder
from .messages_encoder import MessagesEncoder, error_body
from .messages_fold import fold
from .messages_to_chat import to_chat
from .protocol import ChatRequest, Dialect
from .schema import check
from .schema.messages import Request


def parse(raw: object) -> ChatRequest:
    """A request body, checked against ``schema.messages``.

    Raises:
        ClientError: A field is missing or malformed; ``param`` names it.
    """
    body = check(raw, Request)
    stream = bool(body.get("stream"))
    return ChatRequest(model=body["model"], stream=stream, body=body, dialect="messages")


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
)
