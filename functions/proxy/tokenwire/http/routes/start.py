"""``POST /v1/streams``: start a stream without watching it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...dialects.events import BODY
from ...dialects.events import DIALECT as EVENTS
from ...gateway import tickets
from ...gateway.services import Services
from ...gateway.start import start as start_stream
from ..context import identified, summary_of
from ..paths import public_path
from ..plain import Plain
from ..requests import read_start
from ..schemas import request_body


async def start(request: Request, services: Services) -> Response:
    """Starts a stream and returns a URL to watch it at, without waiting for the provider.

    The URL carries a ticket, so that an `EventSource`, which cannot send a key, can open it.
    If no viewer connects, the stream is cancelled after its grace period (5 s for
    `on_disconnect=cancel`; never for `continue`).
    """
    context = await identified(request, services)
    start_request = await read_start(request, services, context, EVENTS, detached=True)
    started = await start_stream(services, context, summary_of(request), start_request)
    stream_id = started.stream.meta.id
    found = await tickets.ticket_url(services, stream_id)
    answer = {"id": stream_id, **found, "url": public_path(request.scope, found["url"])}
    return JSONResponse(answer, status_code=201, headers={"x-stream-id": stream_id})


START = Plain(
    "/v1/streams",
    start,
    ("POST",),
    {
        "summary": "Start a stream",
        "tags": ["Streams"],
        "status_code": 201,
        "openapi_extra": request_body(BODY),
    },
)
