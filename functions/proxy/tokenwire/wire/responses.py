"""The ``responses`` dialect: OpenAI Responses.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ..errors import ClientError
from ..events import Error
from ..sse import data_of
from . import chat
from .protocol import JSON, ChatRequest, Dialect
from .reading import malformed, read
from .responses_decoder import ResponsesDecoder
from .responses_encoder import ResponsesEncoder
from .responses_to_chat import to_chat
from .responses_tools import renamed
from .schema import check
from .schema.responses import Request

_JSON = msgspec.json.Decoder(dict[str, Any])


def parse(raw: object) -> ChatRequest:
    """A request body, checked against ``schema.responses``.

    Raises:
        ClientError: A field is missing or malformed; ``param`` names it.
    """
    body = check(raw, Request)
    if not body.get("previous_response_id"):
        if body.get("input") is None:
            raise ClientError(
                "input is required.", code="missing_required_parameter", param="input"
            )
        if body["input"] == []:
            raise ClientError("input is empty.", code="invalid_value", param="input")
    stream = bool(body.get("stream"))
    return ChatRequest(model=body["model"], stream=stream, body=body, dialect="responses")


def fold(blocks: Iterable[bytes]) -> JSON:
    """The response object of the last event that has one.

    Raises:
        UpstreamError: There is none (``upstream_malformed``).
    """
    found: Any = None
    for block in blocks:
        data = data_of(block) or b"{}"
        if data.strip() != b"[DONE]":
            found = read(data, _JSON).get("response", found)
    if not isinstance(found, dict):
        raise malformed()
    return found


def error_body(error: Error) -> JSON:
    """The error object of the OpenAI API."""
    return chat.error_body(error)


DIALECT = Dialect(
    "responses", ResponsesDecoder, ResponsesEncoder, parse, error_body, fold, to_chat, renamed
)
