"""``/v1/streams/{stream_id}``: watch, resume, share and cancel a stream by its id."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import JSONResponse, Response

from ...gateway import tickets, watching
from ..deferred import deferring
from ..delivery import DeliveryOptions
from ..dependencies import ContextDep, ServicesDep, SummaryDep, Ticket, ViewerContextDep
from ..errors import error_response
from ..paths import public_path
from ..requests import cursor_of, viewer_of
from ..response import StreamResponse

router = deferring(prefix="/v1/streams", tags=["Streams"])

Format = Annotated[str, Query(description="The dialect of the events.")]
Usage = Annotated[bool, Query(description="Include the final usage chunk (`format=chat` only).")]


@router.get("/{stream_id}", summary="Watch or resume a stream")
async def watch(
    request: Request,
    stream_id: str,
    services: ServicesDep,
    context: ViewerContextDep,
    summary: SummaryDep,
    format: Format = "events",
    ticket: Ticket = "",
    include_usage: Usage = False,
) -> Response:
    """Sends the stream from its beginning, or from after `Last-Event-ID`, and follows it.

    204: the stream is over and the client has all of it. 400: the cursor or a parameter is invalid.
    401: the key or ticket is missing, wrong or expired. 404: there is no such stream, or it belongs
    to another caller. 410: the part after the cursor is no longer held. 503: the store failed.
    """
    dialect = watching.format_named(services.dialects, format)
    summary.log.dialect = dialect.name
    cursor, viewer = cursor_of(request), viewer_of(request)
    watch_request = watching.WatchRequest(stream_id, dialect, cursor, viewer, ticket, include_usage)
    view = await watching.watch(services, context, summary, watch_request)
    if view is None:
        return Response(status_code=204, headers={"x-stream-id": stream_id})
    # A resuming client may be an EventSource, which stops on any status but 200, so a failed
    # stream is reported as an event.
    on_error = None if cursor else error_response(dialect)
    options = DeliveryOptions.of(services.settings, retry=True, error_response=on_error)
    return StreamResponse(services.hub, view, options, context, summary)


@router.post("/{stream_id}/viewers/{viewer}", status_code=204, summary="Renew a viewer lease")
async def renew(
    stream_id: str,
    viewer: str,
    services: ServicesDep,
    context: ViewerContextDep,
    ticket: Ticket = "",
) -> Response:
    """Renews the lease of a viewer whose disconnect the server cannot detect.

    For clients whose response had `X-Tokenwire-Lease`, which is the duration of a lease in seconds.
    When no viewer is connected or holds a lease, the stream's `on_disconnect` applies.
    """
    await tickets.renew_lease(services, context, stream_id, viewer, ticket)
    return Response(status_code=204)


@router.post("/{stream_id}/viewers/{viewer}/leave", status_code=204, summary="End a viewer lease")
async def leave(
    stream_id: str,
    viewer: str,
    services: ServicesDep,
    context: ViewerContextDep,
    ticket: Ticket = "",
) -> Response:
    """Ends the lease, for example when a page is closed."""
    await tickets.end_lease(services, context, stream_id, viewer, ticket)
    return Response(status_code=204)


@router.post("/{stream_id}/ticket", summary="Share a stream")
async def share(
    request: Request, stream_id: str, services: ServicesDep, context: ContextDep
) -> Response:
    """Returns a URL with which anyone can watch this one stream until `expires_at`.

    A URL is valid for 5 minutes by default.
    """
    found = await tickets.share(services, context, stream_id)
    return JSONResponse({**found, "url": public_path(request.scope, found["url"])})


@router.post("/{stream_id}/cancel", summary="Cancel a stream")
async def cancel(
    stream_id: str, services: ServicesDep, context: ContextDep, summary: SummaryDep
) -> Response:
    """Stops the generation and closes the connection to the provider. Idempotent."""
    reason = await watching.cancel(services, context, summary, stream_id)
    return JSONResponse({"id": stream_id, "end_reason": reason})
