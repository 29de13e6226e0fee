"""FastAPI dependencies: the app's services, and the context and the summary of a request.

They are coroutines: FastAPI would run functions in threads.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import WithJsonSchema
from starlette.types import Receive

from ..auth.callers import TICKET_HOLDER, Caller
from ..dialects.protocol import JSON
from ..gateway.context import RequestContext
from ..gateway.idempotency import MAX_KEY, MESSAGE_ID, MESSAGE_ID_PATTERN
from ..gateway.memory import RequestMemory
from ..gateway.recording import RequestSummary
from ..gateway.services import Services


async def services(request: Request) -> Services:
    """Return the services of the app that serves this request."""
    found: Services = request.app.state.services
    return found


async def summary(request: Request) -> RequestSummary:
    """Return the summary of this request, of which its log line is made."""
    return summary_of(request)


def summary_of(request: Request) -> RequestSummary:
    """As ``summary``."""
    found: RequestSummary = request.scope["state"]["summary"]
    return found


ServicesDep = Annotated[Services, Depends(services)]
SummaryDep = Annotated[RequestSummary, Depends(summary)]
Ticket = Annotated[str, Query(description="From the `url` that started or shared the stream.")]
# Checked by the gateway, whose error has a code and names the characters.
_SHAPE: JSON = {
    "type": "string",
    "minLength": 1,
    "maxLength": MAX_KEY,
    "pattern": f"^{MESSAGE_ID_PATTERN}$",
}
MessageId = Annotated[
    str | None,
    WithJsonSchema(_SHAPE),
    Query(
        alias=MESSAGE_ID,
        description="The client's own id for this request, with the meaning of `Idempotency-Key`.",
    ),
]


async def context(request: Request, services: ServicesDep, summary: SummaryDep) -> RequestContext:
    """Identify the caller, and make the context of this request.

    Raises:
        ClientError: The caller may not use this server (401 or 403).
    """
    caller = await services.authenticate(request.scope)
    summary.log.caller = caller.id
    return _context(request, services, caller)


async def viewer_context(
    request: Request, services: ServicesDep, summary: SummaryDep, ticket: Ticket = ""
) -> RequestContext:
    """As ``context``, but a client with a ticket needs no key: the gateway checks the ticket."""
    if ticket:
        return _context(request, services, TICKET_HOLDER)
    return await context(request, services, summary)


ContextDep = Annotated[RequestContext, Depends(context)]
ViewerContextDep = Annotated[RequestContext, Depends(viewer_context)]


def _context(request: Request, services: Services, caller: Caller) -> RequestContext:
    memory = RequestMemory(services.hub.account(caller.id))
    # The middleware releases it.
    request.scope["state"]["memory"] = memory
    trace = request.scope["state"].get("trace")
    return RequestContext.of(request.scope, caller, memory, _disconnected(request.receive), trace)


def _disconnected(receive: Receive) -> Callable[[], Awaitable[None]]:
    async def disconnected() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    return disconnected
