"""``/v1/streams``: start, watch, resume, share and cancel a stream by its id."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from ..errors import ClientError
from ..streams.stream import Stream
from ..wire import DIALECTS
from ..wire.events import DIALECT as EVENTS
from .begin import begin, join, manners
from .cursor import cursor_of, is_finished
from .errors import refusal
from .idempotency import Idempotency
from .reading import read_json
from .response import StreamResponse
from .schemas import TYPED
from .services import Observed, Parts, Services, Who, caller
from .typed import disconnect_policy

router = APIRouter(prefix="/v1/streams", tags=["Streams"])

Format = Annotated[str, Query(description=f"One of {', '.join(DIALECTS)}.")]
Ticket = Annotated[str, Query(description="From the `url` that started or shared the stream.")]


async def _ticketed(services: Services, stream_id: str) -> dict[str, object]:
    ticket, expires_at = await services.tickets.sign(stream_id)
    return {"url": f"/v1/streams/{stream_id}?ticket={ticket}", "expires_at": expires_at}


@router.post("", status_code=201, openapi_extra=TYPED, summary="Start a stream")
async def start(request: Request, parts: Parts, who: Who, seen: Observed) -> Response:
    """Starts a stream and answers at once with a URL to watch it at.

    The URL carries a ticket, so that an `EventSource`, which cannot send a key, can open it.
    The stream is cancelled if nobody watches it within its `on_disconnect` grace.
    """
    if seen.freezes:
        raise ClientError(
            "This server is a Lambda function, which stops once it has answered: there would be "
            "nobody to run the stream. Start and watch it in one request: POST /api/stream.",
            code="not_on_lambda",
            status=501,
        )
    raw = await read_json(request, parts.settings.max_body_bytes)
    asked = EVENTS.parse(raw)
    key = Idempotency.of(request, asked)
    stream = await begin(parts, who, asked, disconnect_policy(request, raw, parts), seen, key)
    said = {"id": stream.meta.id, **await _ticketed(parts, stream.meta.id)}
    return JSONResponse(said, status_code=201, headers={"x-stream-id": stream.meta.id})


@router.get("/{stream_id}", summary="Watch or resume a stream")
async def watch(
    request: Request,
    stream_id: str,
    parts: Parts,
    seen: Observed,
    format: Format = "events",
    ticket: Ticket = "",
) -> Response:
    """Says the stream from its beginning, or from after `Last-Event-ID`, and follows it.

    204: it is over and the client has all of it. 404: unknown, or somebody else's. 410: the
    part after the cursor is no longer held.
    """
    dialect = DIALECTS.get(format)
    if dialect is None:
        raise ClientError(
            f"format must be one of {', '.join(DIALECTS)}.", code="invalid_value", param="format"
        )
    seen.log.dialect = dialect.name
    stream = await _find(request, parts, stream_id, ticket)
    cursor = cursor_of(request, stream.tail.epoch)
    seen.joins(stream, cursor)
    if is_finished(stream, cursor):
        return Response(status_code=204, headers={"x-stream-id": stream_id})
    refuse = refusal(dialect) if cursor is None else None
    retry = parts.settings.retry
    manner = manners(parts, refuse=refuse, retry=retry, headers=dialect.headers)
    return StreamResponse(parts.hub, stream, join(stream, dialect, cursor), manner, seen)


async def _find(request: Request, parts: Services, stream_id: str, ticket: str) -> Stream:
    if ticket:
        await parts.tickets.verify(stream_id, ticket)
        return await parts.hub.find(stream_id, None)
    who = await caller(request)
    return await parts.hub.find(stream_id, who.id)


@router.post("/{stream_id}/ticket", summary="Share a stream")
async def share(stream_id: str, parts: Parts, who: Who) -> Response:
    """A URL that lets whoever has it watch this one stream, for some minutes."""
    await parts.hub.find(stream_id, who.id)
    return JSONResponse(await _ticketed(parts, stream_id))


@router.post("/{stream_id}/cancel", summary="Cancel a stream")
async def cancel(stream_id: str, parts: Parts, who: Who, seen: Observed) -> Response:
    """Stops the generation and closes the connection to the provider. Idempotent."""
    stream = await parts.hub.find(stream_id, who.id)
    seen.joins(stream, None)
    end = await parts.hub.cancel(stream)
    return JSONResponse({"id": stream_id, "end_reason": end.reason if end else None})
