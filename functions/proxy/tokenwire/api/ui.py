"""``/api/chat``: what ``useChat`` of the AI SDK asks for, with no adapter between."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from ..errors import ClientError
from ..streams.hub import Stream
from ..wire import ui
from .begin import GRACE, begin, join, manners, policy
from .errors import refusal
from .idempotency import Idempotency
from .observation import Observation
from .reading import read_json
from .response import StreamResponse
from .schemas import UI
from .services import Observed, Parts, Services, Who

router = APIRouter(prefix="/api/chat", tags=["AI SDK UI messages"])


@router.post("", openapi_extra=UI, summary="Answer a chat")
async def chat(request: Request, parts: Parts, who: Who, seen: Observed) -> Response:
    """Takes what `useChat` sends (`id`, `messages`, `trigger`); `model` and `system` may be added.

    The stream belongs to the chat `id`, for resuming and stopping.
    """
    seen.log.dialect = ui.DIALECT.name
    raw = await read_json(request, parts.settings.max_body_bytes)
    asked = ui.DIALECT.parse(raw)
    key = Idempotency.of(request, asked)
    stream = begin(parts, who, asked, policy(request, parts, GRACE), seen, key)
    if isinstance(chat_id := asked.body.get("id"), str):
        parts.hub.name(stream, chat_id)
    return _said(parts, stream, seen)


@router.get("/{chat_id}/stream", summary="Resume a chat's stream")
async def resume(chat_id: str, parts: Parts, who: Who, seen: Observed) -> Response:
    """The chat's running answer from its beginning, as `useChat` wants it; 204 if there is none."""
    seen.log.dialect = ui.DIALECT.name
    stream = parts.hub.named(chat_id, who.id)
    if stream is None or stream.tail.end is not None:
        return Response(status_code=204)
    seen.joins(stream, None)
    return _said(parts, stream, seen)


@router.post("/{chat_id}/stop", summary="Stop a chat's answer")
async def stop(chat_id: str, parts: Parts, who: Who, seen: Observed) -> Response:
    """Stops the generation: `stop()` of `useChat` alone only leaves. Idempotent."""
    stream = parts.hub.named(chat_id, who.id)
    if stream is None:
        raise ClientError("There is no such chat.", code="stream_not_found", status=404)
    seen.joins(stream, None)
    parts.hub.cancel(stream)
    end = stream.tail.end
    return JSONResponse({"id": stream.meta.id, "end_reason": end.reason if end else None})


def _said(parts: Services, stream: Stream, seen: Observation) -> StreamResponse:
    manner = manners(parts, refuse=refusal(ui.DIALECT), headers=ui.DIALECT.headers)
    return StreamResponse(parts.hub, stream, join(stream, ui.DIALECT), manner, seen)
