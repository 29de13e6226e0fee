"""Tickets: URLs with which anyone can watch one stream, and the leases of those who do."""

from __future__ import annotations

from ..dialects.protocol import JSON
from ..errors import ClientError
from ..streams.stream import Stream
from .context import RequestContext
from .presence import check_viewer
from .services import Services


async def ticket_url(services: Services, stream_id: str) -> JSON:
    """Return a URL that lets anyone watch the stream, and when it expires (Unix time, seconds)."""
    ticket, expires_at = await services.tickets.sign(stream_id)
    return {"url": f"/v1/streams/{stream_id}?ticket={ticket}", "expires_at": expires_at}


async def share(services: Services, context: RequestContext, stream_id: str) -> JSON:
    """Return ``ticket_url`` of the caller's stream.

    Raises:
        ClientError: The caller has no such stream (404, ``stream_not_found``).
        StoreError: The stream is not in this process, and the store fails.
        ProxyError: There is no secret for tickets, or it is too short.
    """
    await services.hub.find(stream_id, context.caller.id)
    return await ticket_url(services, stream_id)


async def watched(
    services: Services, context: RequestContext, stream_id: str, ticket: str
) -> Stream:
    """Return a stream that the caller owns, or has a ticket for.

    Raises:
        ClientError: The ticket is not valid (401), or there is no such stream (404).
        StoreError: The stream is not in this process, and the store fails.
        ProxyError: There is no secret for tickets, or it is too short.
    """
    if not ticket:
        return await services.hub.find(stream_id, context.caller.id)
    await services.tickets.verify(stream_id, ticket)
    stream = await services.hub.find(stream_id, None)
    await _check_issuer(services, stream.meta.owner)
    return stream


async def renew_lease(
    services: Services, context: RequestContext, stream_id: str, viewer: str, ticket: str
) -> None:
    """Renew the lease of a viewer of the stream.

    Raises:
        ClientError: As ``watched``; or the viewer's name is malformed (400).
        TooManyViewers: 100 other viewers hold leases (429, ``overloaded``).
        StoreError: The store has lost the stream, or fails.
        ProxyError: As ``watched``.
    """
    owner = await _owner(services, context, stream_id, ticket)
    lease = services.settings.viewer_lease
    await services.hub.leases.renew(stream_id, owner, check_viewer(viewer), lease)


async def end_lease(
    services: Services, context: RequestContext, stream_id: str, viewer: str, ticket: str
) -> None:
    """End the lease of a viewer of the stream.

    Raises:
        ClientError: As ``renew_lease``.
        StoreError: The store fails.
        ProxyError: As ``watched``.
    """
    owner = await _owner(services, context, stream_id, ticket)
    await services.hub.leases.end(stream_id, owner, check_viewer(viewer))


async def _owner(services: Services, context: RequestContext, stream_id: str, ticket: str) -> str:
    """Return the id of the caller that the stream must belong to."""
    if not ticket:
        return context.caller.id
    await services.tickets.verify(stream_id, ticket)
    owner = await services.hub.owner_of(stream_id)
    await _check_issuer(services, owner)
    return owner


async def _check_issuer(services: Services, owner: str) -> None:
    """Check that the caller who issued a ticket still has access."""
    if not await services.authenticate.knows(owner):
        raise ClientError(
            "The caller who issued the ticket no longer has access.",
            code="invalid_ticket",
            status=401,
        )
