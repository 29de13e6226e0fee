"""``POST /v1/chat/completions``: the OpenAI Chat Completions API, streamed and not."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from ..auth.callers import Caller
from ..streams.policy import CANCEL
from ..wire import chat
from ..wire.chat_fold import fold
from .begin import begin, join, manners, policy
from .collect import collect
from .errors import refusal
from .observation import Observation
from .reading import read_json
from .response import StreamResponse
from .schemas import CHAT
from .services import Observed, Parts, Services, Who

router = APIRouter(tags=["OpenAI Chat Completions"])


@router.post("/v1/chat/completions", openapi_extra=CHAT, summary="Create a chat completion")
async def completions(request: Request, parts: Parts, who: Who, seen: Observed) -> Response:
    """Answers as OpenAI does: a JSON object, or chunks with `"stream": true`.

    `model` is `provider/model`, an alias, or a bare name for the default provider. Fields that
    tokenwire does not know go to the provider untouched. The response's `X-Stream-Id` names
    the stream, for `GET /v1/streams/{id}`.
    """
    return await _answer(request, parts, who, seen)


async def _answer(request: Request, parts: Services, who: Caller, seen: Observation) -> Response:
    seen.log.dialect = "chat"
    asked = chat.DIALECT.parse(await read_json(request, parts.settings.max_body_bytes))
    stream = begin(parts, who, asked, policy(request, parts, CANCEL), seen)
    if not asked.stream:
        blocks = await collect(request, parts, stream, seen)
        return JSONResponse(fold(blocks), headers={"x-stream-id": stream.meta.id})
    options = asked.body.get("stream_options") or {}
    surplus = None if options.get("include_usage") else chat.only_usage
    reading = join(stream, chat.DIALECT, surplus=surplus)
    manner = manners(parts, refuse=refusal(chat.DIALECT))
    return StreamResponse(parts.hub, stream, reading, manner, seen)
