"""The ``ui`` dialect: what ``useChat`` of the AI SDK sends and reads.

https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ..sse import data_of
from .protocol import JSON, ChatRequest, Dialect
from .reading import read
from .schema import check
from .schema.ui import Request
from .ui_decoder import UIDecoder
from .ui_encoder import UIEncoder, error_body
from .ui_to_chat import to_chat

_JSON = msgspec.json.Decoder(dict[str, Any])


def parse(raw: object) -> ChatRequest:
    """A request body, checked against ``schema.ui``; always for a stream.

    Raises:
        ClientError: A field is missing or malformed; ``param`` names it.
    """
    body = check(raw, Request)
    return ChatRequest(model=body.get("model") or "", stream=True, body=body, dialect="ui")


def fold(blocks: Iterable[bytes]) -> JSON:
    """The parts, in a list: this dialect has no other way to say a whole answer."""
    found = (data_of(block) or b"{}" for block in blocks)
    return {"parts": [read(data, _JSON) for data in found if data.strip() != b"[DONE]"]}


DIALECT = Dialect(
    "ui",
    UIDecoder,
    UIEncoder,
    parse,
    error_body,
    fold,
    to_chat,
    headers={"x-vercel-ai-ui-message-stream": "v1"},
)
