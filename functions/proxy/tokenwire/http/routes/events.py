"""``GET /api/stream``: typed events for an ``EventSource``."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response

from ...dialects.events import DIALECT
from ...gateway.cursors import parse_cursor
from ...gateway.start import start
from ...gateway.watching import event_source_view, reconnect
from ..answer import streamed
from ..deferred import deferring
from ..dependencies import ContextDep, MessageId, ServicesDep, SummaryDep
from ..requests import cursor_of, prompt_request, viewer_of

router = deferring(tags=["Typed events"])

Prompt = Annotated[str, Query(max_length=100_000, description="What to ask.")]
Model = Annotated[str, Query(max_length=256, description="`provider/model` or an alias.")]


@router.get("/api/stream", summary="Stream typed events to an EventSource")
async def get_stream(
    request: Request,
    services: ServicesDep,
    context: ContextDep,
    summary: SummaryDep,
    prompt: Prompt = "",
    model: Model = "",
    message_id: MessageId = None,
) -> Response:
    """For `EventSource`, which reconnects by repeating its GET.

    The ids of the events name the stream. A request with `Last-Event-ID` therefore joins the stream
    that it lost, and never starts (or pays for) another. The answer is 204 once the client has
    everything, which makes `EventSource` stop.

    With a `messageId`, the same URL can also be opened anew, after a reload or where not even the
    first event arrived: it joins the stream that it started, from the beginning.
    """
    summary.log.dialect = DIALECT.name
    cursor, viewer = parse_cursor(cursor_of(request)), viewer_of(request)
    if cursor is None:
        start_request = prompt_request(request, DIALECT, prompt, model, message_id)
        stream = (await start(services, context, summary, start_request)).stream
        view = await event_source_view(services, context, stream, DIALECT, None, viewer)
        return streamed(services, context, summary, view)
    rest = await reconnect(services, context, summary, DIALECT, cursor, viewer)
    if rest is None:
        return Response(status_code=204)
    return streamed(services, context, summary, rest)
