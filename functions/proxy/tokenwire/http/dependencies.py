"""FastAPI dependencies: the app's services, and the context and the summary of a request.

They are coroutines: FastAPI would run functions in threads.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import WithJsonSchema

from ..dialects.protocol import JSON
from ..gateway.context import RequestContext
from ..gateway.idempotency import MAX_KEY, MESSAGE_ID, MESSAGE_ID_PATTERN
from ..gateway.recording import RequestSummary
from ..gateway.services import Services
from .context import identified, summary_of, with_ticket


async def services(request: Request) -> Services:
    """Return the services of the app that serves this request."""
    found: Services = request.app.state.services
    return found


async def summary(request: Request) -> RequestSummary:
    """As ``summary_of``."""
    return summary_of(request)


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


async def context(request: Request, services: ServicesDep) -> RequestContext:
    """As ``identified``."""
    return await identified(request, services)


async def viewer_context(
    request: Request, services: ServicesDep, ticket: Ticket = ""
) -> RequestContext:
    """As ``context``, but a client with a ticket needs no key: the gateway checks the ticket."""
    return with_ticket(request, services) if ticket else await identified(request, services)


ContextDep = Annotated[RequestContext, Depends(context)]
ViewerContextDep = Annotated[RequestContext, Depends(viewer_context)]
