"""``/api/stream``: typed events, for ``fetch`` (POST) and for ``EventSource`` (GET)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from ...dialects.events import DIALECT
from ...errors import ClientError
from ...gateway.idempotency import KEY_HEADER, Idempotency
from ...gateway.join import join
from ...gateway.observation import Observation
from ...gateway.presence import VIEWER_HEADER, seat
from ...gateway.services import Services
from ...gateway.start import begin
from ...stores.records import Cursor
from ...streams.policy import OnDisconnect
from ...streams.stream import Stream
from ..body import read_json
from ..cursor import cursor_of, is_finished
from ..dependencies import Observed, Parts, Who
from ..manners import GRACE, manners, policy
from ..response import StreamResponse
from ..schemas import TYPED

router = APIRouter(tags=["Typed events"])

Prompt = Annotated[str, Query(max_length=100_000, description="What to ask.")]
Model = Annotated[str, Query(max_length=256, description="`provider/model` or an alias.")]


def disconnect_policy(request: Request, raw: object, services: Services) -> OnDisconnect:
    """What the body's ``on_disconnect`` says, else the header, the settings, 30 s of grace.

    Raises:
        ClientError: It is malformed.
    """
    asked = raw.get("on_disconnect") if isinstance(raw, Mapping) else None
    if asked is None:
        return policy(request, services, GRACE)
    return OnDisconnect.parse(asked if isinstance(asked, str) else "")


@router.post("/api/stream", openapi_extra=TYPED, summary="Stream typed events")
async def post_stream(request: Request, parts: Parts, who: Who, seen: Observed) -> Response:
    """Takes `{"message": "…"}` or `{"messages": […]}`, and optionally `model` and more.

    The `start` event comes at once, before the provider has answered, so that even a stream
    without a token can be resumed. What the provider refuses is therefore an `error` event.
    """
    seen.log.dialect = DIALECT.name
    raw = await read_json(request, parts.settings.max_body_bytes)
    asked = DIALECT.parse(raw)
    key = Idempotency.of(request.headers.get(KEY_HEADER), request.scope["path"], asked)
    stream = await begin(parts, who, asked, disconnect_policy(request, raw, parts), seen, key)
    return await _said(request, parts, stream, None, seen)


@router.get("/api/stream", summary="Stream typed events to an EventSource")
async def get_stream(
    request: Request,
    parts: Parts,
    who: Who,
    seen: Observed,
    prompt: Prompt = "",
    model: Model = "",
) -> Response:
    """For `EventSource`, which reconnects by repeating its GET.

    The ids of the events carry the stream, so a request that brings `Last-Event-ID` joins the
    stream it lost, and never starts (or pays for) another. It is answered with 204 once it has
    all there is, which tells `EventSource` to stop.
    """
    seen.log.dialect = DIALECT.name
    cursor = cursor_of(request)
    if cursor is None:
        if not prompt:
            raise ClientError(
                "There is no prompt.", code="missing_required_parameter", param="prompt"
            )
        asked = DIALECT.parse({"message": prompt, "model": model})
        stream = await begin(parts, who, asked, policy(request, parts, GRACE), seen)
    else:
        if cursor.stream is None:
            raise ClientError(
                "The cursor does not name its stream.", code="invalid_cursor", param="last_event_id"
            )
        stream = await parts.hub.find(cursor.stream, who.id)
        seen.joins(stream, cursor)
        if is_finished(stream, cursor):
            return Response(status_code=204)
        await parts.hub.reach(stream, cursor)
    return await _said(request, parts, stream, cursor, seen)


async def _said(
    request: Request, parts: Services, stream: Stream, cursor: Cursor | None, seen: Observation
) -> StreamResponse:
    # The ids name the stream, so that one of them is all that a client has to keep.
    reading = join(stream, DIALECT, cursor, prefix=f"{stream.meta.id}.")
    manner = manners(
        parts,
        parts.settings.retry,
        seat=await seat(request.headers.get(VIEWER_HEADER), parts, stream, seen),
    )
    return StreamResponse(parts.hub, stream, reading, manner, seen)
