"""The caller, the context and the summary of a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.types import Receive

from ..auth.callers import TICKET_HOLDER, Caller
from ..errors import TokenwireError
from ..gateway.context import RequestContext
from ..gateway.memory import RequestMemory
from ..gateway.recording import RequestSummary
from ..gateway.services import Services


def summary_of(request: Request) -> RequestSummary:
    """Return the summary of this request, of which its log line is made."""
    found: RequestSummary = request.scope["state"]["summary"]
    return found


async def identified(request: Request, services: Services) -> RequestContext:
    """Identify the caller, and make the context of this request.

    Raises:
        ClientError: The caller may not use this server (401 or 403).
    """
    caller = await services.authenticate(request.scope)
    summary_of(request).log.caller = caller.id
    return _context(request, services, caller)


async def is_known(request: Request, services: Services) -> bool:
    """Return whether the caller may use this server. False if that cannot be determined now."""
    try:
        await services.authenticate(request.scope)
    except TokenwireError:
        return False
    return True


def with_ticket(request: Request, services: Services) -> RequestContext:
    """Make the context of a request that has a ticket, which the gateway checks, and no key."""
    return _context(request, services, TICKET_HOLDER)


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
