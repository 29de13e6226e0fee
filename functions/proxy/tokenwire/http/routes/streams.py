"""``/v1/streams``: start, watch, resume, share and cancel a stream by its id."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from ...dialects import DIALECTS
from ...dialects.events import DIALECT as EVENTS
from ...errors import ClientError
from ...gateway.idempotency import KEY_HEADER, Idempotency
from ...gateway.join import join
from ...gateway.output import output
from ...gateway.presence import VIEWER_HEADER, seat, viewer_of
from ...gateway.services import Services
from ...gateway.start import begin
from ...streams.stream import Stream
from ..body import read_json
from ..cursor import cursor_of, is_finished
from ..dependencies import Observed, Parts, Who, caller
from ..errors import refusal
from ..manners import manners
from ..response import StreamResponse
from ..schemas import TYPED
from .events import disconnect_policy

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
    raw = await read_json(request, parts.settings.max_body_bytes)
    asked = EVENTS.parse(raw)
    key = Idempotency.of(request.headers.get(KEY_HEADER), request.scope["path"], asked)
    stream = await begin(
        parts, who, asked, disconnect_policy(request, raw, parts), seen, key, alone=True
    )
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
    include_usage: Annotated[bool, Query(description="For `chat`: with its usage chunk.")] = False,
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
    await parts.hub.reach(stream, cursor)
    refuse = refusal(dialect) if cursor is None else None
    retry = parts.settings.retry
    place = await seat(request.headers.get(VIEWER_HEADER), parts, stream, seen)
    manner = manners(parts, refuse=refuse, retry=retry, headers=dialect.headers, seat=place)
    wanted = output(dialect, usage=include_usage)
    reading = join(stream, dialect, cursor, surplus=wanted.surplus, encoder=wanted.encoder())
    return StreamResponse(parts.hub, stream, reading, manner, seen)


async def _find(request: Request, parts: Services, stream_id: str, ticket: str) -> Stream:
    if not ticket:
        return await parts.hub.find(stream_id, (await caller(request)).id)
    await parts.tickets.verify(stream_id, ticket)
    stream = await parts.hub.find(stream_id, None)
    await _check_issuer(parts, stream.meta.owner)
    return stream


async def _owner(request: Request, parts: Services, stream_id: str, ticket: str) -> str:
    """Whose the stream has to be."""
    if not ticket:
        return (await caller(request)).id
    await parts.tickets.verify(stream_id, ticket)
    owner = await parts.hub.owner_of(stream_id)
    await _check_issuer(parts, owner)
    return owner


async def _check_issuer(parts: Services, owner: str) -> None:
    """Tickets end with the key of the caller who gave them out."""
    if not await parts.authenticate.knows(owner):
        raise ClientError(
            "The ticket's issuer has no access any more.", code="invalid_ticket", status=401
        )


@router.post("/{stream_id}/viewers/{viewer}", status_code=204, summary="Go on watching")
async def renew(
    request: Request, stream_id: str, viewer: str, parts: Parts, ticket: Ticket = ""
) -> Response:
    """Renews the lease of a viewer whose disconnect the server would not see.

    For clients that were answered with `X-Tokenwire-Lease`: that many seconds is what a lease
    holds. When nobody has one, the stream's `on_disconnect` applies.
    """
    owner = await _owner(request, parts, stream_id, ticket)
    lease = parts.settings.viewer_lease
    await parts.hub.renew(stream_id, owner, viewer_of(viewer), lease)
    return Response(status_code=204)


@router.post("/{stream_id}/viewers/{viewer}/leave", status_code=204, summary="Stop watching")
async def leave(
    request: Request, stream_id: str, viewer: str, parts: Parts, ticket: Ticket = ""
) -> Response:
    """Gives the lease up, such as when a page is left."""
    owner = await _owner(request, parts, stream_id, ticket)
    await parts.hub.leave(stream_id, owner, viewer_of(viewer))
    return Response(status_code=204)


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
