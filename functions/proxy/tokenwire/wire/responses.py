"""The ``responses`` dialect: OpenAI Responses.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ..events import Error
from ..sse import data_of
from . import chat, checks
from .protocol import JSON, ChatRequest, Dialect
from .reading import malformed, read
from .responses_decoder import ResponsesDecoder
from .responses_encoder import ResponsesEncoder
from .responses_to_chat import to_chat

_JSON = msgspec.json.Decoder(dict[str, Any])


def parse(raw: object) -> ChatRequest:
    """A request body. What tokenwire reads itself is checked; the rest is when it is translated.

    Raises:
        ClientError: A field is missing or malformed; ``param`` names it.
    """
    body = checks.an_object(raw)
    model = checks.typed(checks.required(body, "model"), str, "model", "a string")
    checks.required(body, "input")
    said = body.get("stream")
    stream = checks.typed(False if said is None else said, bool, "stream", "a boolean")
    return ChatRequest(model=model, stream=stream, body=body, dialect="responses")


def fold(blocks: Iterable[bytes]) -> JSON:
    """The response object of the last event that has one.

    Raises:
        UpstreamError: There is none (``upstream_malformed``).
    """
    found: Any = None
    for block in blocks:
        found = read(data_of(block) or b"{}", _JSON).get("response", found)
    if not isinstance(found, dict):
        raise malformed()
    return found


def error_body(error: Error) -> JSON:
    """The error object of the OpenAI API."""
    return chat.error_body(error)


DIALECT = Dialect("responses", ResponsesDecoder, ResponsesEncoder, parse, error_body, fold, to_chat)
