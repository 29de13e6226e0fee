"""Parse a request of the Chat Completions API."""

from __future__ import annotations

from ...errors import ClientError
from ..protocol import JSON, ParsedRequest
from ..schema import check
from .schema import Request


def parse(raw: object) -> ParsedRequest:
    """Validate a request body against ``chat.schema``.

    Raises:
        ClientError: A field is missing or malformed; ``param`` names it.
    """
    body = check(raw, Request)
    stream = bool(body.get("stream"))
    if body.get("stream_options") is not None and not stream:
        raise ClientError(
            "stream_options requires stream to be true.",
            code="invalid_value",
            param="stream_options",
        )
    return ParsedRequest(model=body["model"], stream=stream, body=body)


def to_chat(body: JSON) -> JSON:
    """Return the body unchanged: it is a ``chat`` request already."""
    return body
