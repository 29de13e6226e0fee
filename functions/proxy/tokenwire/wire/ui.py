"""The ``ui`` dialect: what ``useChat`` of the AI SDK sends and reads.

https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ..sse import data_of
from . import checks
from .protocol import JSON, ChatRequest, Dialect
from .reading import read
from .ui_decoder import UIDecoder
from .ui_encoder import UIEncoder, error_body
from .ui_to_chat import to_chat

_JSON = msgspec.json.Decoder(dict[str, Any])


def parse(raw: object) -> ChatRequest:
    """A request body; always for a stream. The model may be left out.

    Raises:
        ClientError: A field is missing or malformed; ``param`` names it.
    """
    body = checks.an_object(raw)
    if not checks.typed(checks.required(body, "messages"), list, "messages", "a list"):
        raise checks.empty("messages")
    model = checks.typed(body.get("model") or "", str, "model", "a string")
    return ChatRequest(model=model, stream=True, body=body, dialect="ui")


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
    {"x-vercel-ai-ui-message-stream": "v1"},
)
