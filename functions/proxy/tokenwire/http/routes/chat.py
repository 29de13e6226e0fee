"""``POST /v1/chat/completions``: the OpenAI Chat Completions API, streamed and not."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from ...dialects import chat
from ...dialects.protocol import ChatRequest
from ...gateway.output import Output, output
from ..answer import answer
from ..dependencies import Observed, Parts, Who
from ..schemas import CHAT

router = APIRouter(tags=["OpenAI Chat Completions"])


@router.post("/v1/chat/completions", openapi_extra=CHAT, summary="Create a chat completion")
async def completions(request: Request, parts: Parts, who: Who, seen: Observed) -> Response:
    """Answers as OpenAI does: a JSON object, or chunks with `"stream": true`.

    `model` is `provider/model`, an alias, or a bare name for the default provider. Fields that
    tokenwire does not know go to the provider untouched. The response's `X-Stream-Id` names
    the stream, for `GET /v1/streams/{id}`.
    """
    return await answer(request, parts, who, seen, chat.DIALECT, _output)


def _output(asked: ChatRequest) -> Output:
    options = asked.body.get("stream_options") or {}
    return output(chat.DIALECT, usage=not asked.stream or bool(options.get("include_usage")))
