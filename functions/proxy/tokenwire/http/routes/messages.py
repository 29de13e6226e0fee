"""``POST /v1/messages``: the Anthropic Messages API, streamed and not."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from ...dialects import messages
from ..answer import answer
from ..dependencies import Observed, Parts, Who
from ..schemas import MESSAGES

router = APIRouter(tags=["Anthropic Messages"])


@router.post("/v1/messages", openapi_extra=MESSAGES, summary="Create a message")
async def create(request: Request, parts: Parts, who: Who, seen: Observed) -> Response:
    """Answers as Anthropic does: a message, or its events with `"stream": true`.

    `model` is as for chat completions. Where the provider is Anthropic the body passes as it
    is; for others it is translated, and what they cannot be told is a 400 that names the field.
    """
    return await answer(request, parts, who, seen, messages.DIALECT)
