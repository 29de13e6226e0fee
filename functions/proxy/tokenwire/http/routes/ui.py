"""``/api/chat``: what ``useChat`` of the AI SDK asks for, with no adapter between."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from ...dialects import checks, ui
from ...errors import ClientError
from ...gateway.idempotency import KEY_HEADER, Idempotency
from ...gateway.join import join
from ...gateway.observation import Observation
from ...gateway.services import Services
from ...gateway.start import begin
from ...streams.stream import Stream
from ..body import read_json
from ..dependencies import Observed, Parts, Who
from ..errors import refusal
from ..manners import GRACE, manners, policy
from ..response import StreamResponse
from ..schemas import UI

router = APIRouter(prefix="/api/chat", tags=["AI SDK UI messages"])


@router.post("", openapi_extra=UI, summary="Answer a chat")
async def chat(request: Request, parts: Parts, who: Who, seen: Observed) -> Response:
    """Takes what `useChat` sends (`id`, `messages`, `trigger`); `model` and `system` may be added.

    The stream belongs to the chat `id`, for resuming and stopping.
    """
    seen.log.dialect = ui.DIALECT.name
    raw = await read_json(request, parts.settings.max_body_bytes)
    asked = ui.DIALECT.parse(raw)
    chat_id = asked.body.get("id")
    if isinstance(chat_id, str):
        checks.named(chat_id, "id")
    key = Idempotency.of(request.headers.get(KEY_HEADER), request.scope["path"], asked)
    stream = await begin(parts, who, asked, policy(request, parts, GRACE), seen, key)
    if isinstance(chat_id, str):
        await parts.hub.name(chat_id, stream)
    return _said(parts, stream, seen)


@router.get("/{chat_id}/stream", summary="Resume a chat's stream")
async def resume(chat_id: str, parts: Parts, who: Who, seen: Observed) -> Response:
    """The chat's running answer from its beginning, as `useChat` wants it; 204 if there is none."""
    seen.log.dialect = ui.DIALECT.name
    stream = await _named(parts, chat_id, who.id)
    if stream is None or stream.end is not None:
        return Response(status_code=204)
    seen.joins(stream, None)
    return _said(parts, stream, seen)


@router.post("/{chat_id}/stop", summary="Stop a chat's answer")
async def stop(chat_id: str, parts: Parts, who: Who, seen: Observed) -> Response:
    """Stops the generation: `stop()` of `useChat` alone only leaves. Idempotent."""
    stream = await _named(parts, chat_id, who.id)
    if stream is None:
        raise ClientError("There is no such chat.", code="stream_not_found", status=404)
    seen.joins(stream, None)
    end = await parts.hub.cancel(stream)
    return JSONResponse({"id": stream.meta.id, "end_reason": end.reason if end else None})


async def _named(parts: Services, chat_id: str, owner: str) -> Stream | None:
    meant = await parts.hub.named(checks.named(chat_id, "id"), owner)
    if meant is None:
        return None
    try:
        return await parts.hub.find(meant.stream, owner)
    except ClientError:
        return None  # no longer kept


def _said(parts: Services, stream: Stream, seen: Observation) -> StreamResponse:
    manner = manners(parts, refuse=refusal(ui.DIALECT), headers=ui.DIALECT.headers)
    return StreamResponse(parts.hub, stream, join(stream, ui.DIALECT), manner, seen)
