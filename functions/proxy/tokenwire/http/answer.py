"""Answer a request of any dialect: with events, or with one JSON object."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..dialects.protocol import Dialect, OutputOptions
from ..gateway.chats import name_chat
from ..gateway.collect import complete_answer
from ..gateway.context import RequestContext
from ..gateway.join import View, join
from ..gateway.recording import RequestSummary
from ..gateway.services import Services
from ..gateway.start import Started, start
from ..gateway.watching import event_source_view
from .delivery import DeliveryOptions
from .errors import error_response
from .requests import read_start, viewer_of
from .response import StreamResponse


async def answer(
    request: Request,
    services: Services,
    context: RequestContext,
    summary: RequestSummary,
    dialect: Dialect,
) -> Response:
    """Start a stream for a POST in this dialect, and answer in it.

    Raises:
        TokenwireError: The request cannot be served; or the response is one JSON object, and its
            stream failed.
    """
    summary.log.dialect = dialect.name
    started = await start(
        services, context, summary, await read_start(request, services, context, dialect)
    )
    await name_chat(services, dialect, started)
    if started.request.stream:
        view = await _view(request, services, context, dialect, started)
        return streamed(services, context, summary, view)
    output = dialect.output_for(OutputOptions(started.request))
    render = partial(JSONResponse, headers={"x-stream-id": started.stream.meta.id})
    return await complete_answer(
        services, context, summary, started.stream, dialect, output, render
    )


def streamed(
    services: Services, context: RequestContext, summary: RequestSummary, view: View
) -> StreamResponse:
    """Return the streaming response to a client of a dialect's own endpoint."""
    if _is_event_source(view.dialect):
        options = DeliveryOptions.of(services.settings, retry=True)
    else:
        refusal = error_response(view.dialect)
        options = DeliveryOptions.of(services.settings, error_response=refusal)
    return StreamResponse(services.hub, view, options, context, summary)


async def _view(
    request: Request,
    services: Services,
    context: RequestContext,
    dialect: Dialect,
    started: Started,
) -> View:
    stream = started.stream
    if _is_event_source(dialect):
        viewer = viewer_of(request)
        return await event_source_view(services, context, stream, dialect, None, viewer)
    output = dialect.output_for(OutputOptions(started.request))
    return join(services.dialects, stream, dialect, output=output)


def _is_event_source(dialect: Dialect) -> bool:
    return dialect.endpoint is not None and dialect.endpoint.event_source
