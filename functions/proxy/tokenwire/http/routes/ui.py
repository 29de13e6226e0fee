"""``/api/chat/{chat_id}``: resume and stop the chats of ``useChat`` in the AI SDK."""

from __future__ import annotations

from starlette.responses import JSONResponse, Response

from ...dialects.ui import DIALECT
from ...gateway.chats import resume_chat, stop_chat
from ..answer import streamed
from ..deferred import deferring
from ..dependencies import ContextDep, ServicesDep, SummaryDep

router = deferring(prefix="/api/chat", tags=["AI SDK UI messages"])


@router.get("/{chat_id}/stream", summary="Resume a chat's stream")
async def resume(
    chat_id: str, services: ServicesDep, context: ContextDep, summary: SummaryDep
) -> Response:
    """The chat's running answer from its beginning, as `useChat` expects it; 204 if none runs."""
    summary.log.dialect = DIALECT.name
    view = await resume_chat(services, context, summary, DIALECT, chat_id)
    if view is None:
        return Response(status_code=204)
    return streamed(services, context, summary, view)


@router.post("/{chat_id}/stop", summary="Stop a chat's answer")
async def stop(
    chat_id: str, services: ServicesDep, context: ContextDep, summary: SummaryDep
) -> Response:
    """Stops the generation; `stop()` of `useChat` alone only disconnects. Idempotent."""
    return JSONResponse(await stop_chat(services, context, summary, chat_id))
