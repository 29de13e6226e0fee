"""Watch, resume and cancel a stream by its id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..dialects.protocol import Dialect, OutputOptions
from ..errors import ClientError
from ..stores.records import Cursor, EndReason
from ..streams.stream import Stream
from .context import RequestContext
from .cursors import is_finished, parse_cursor, stream_id_of
from .join import View, leased_view
from .recording import RequestSummary
from .services import Services
from .tickets import watched


@dataclass(frozen=True, slots=True)
class WatchRequest:
    """A request to watch a stream.

    Args:
        stream_id: The stream.
        dialect: The dialect that the client reads.
        cursor: What the client has already, as it wrote it; None if it has nothing.
        viewer: The client's name for itself (``X-Tokenwire-Viewer``); None without one.
        ticket: Allows its holder to watch; empty where the caller must own the stream.
        usage: Whether a ``chat`` client wants the usage chunk.
    """

    stream_id: str
    dialect: Dialect
    cursor: str | None = None
    viewer: str | None = None
    ticket: str = ""
    usage: bool = False


def format_named(dialects: Mapping[str, Dialect], name: str) -> Dialect:
    """Return the dialect of this name, as in ``?format=``.

    Raises:
        ClientError: There is none (``invalid_value``).
    """
    if name not in dialects:
        raise ClientError(
            f"format must be one of {', '.join(dialects)}.", code="invalid_value", param="format"
        )
    return dialects[name]


async def watch(
    services: Services, context: RequestContext, summary: RequestSummary, request: WatchRequest
) -> View | None:
    """Return a view of the stream from the client's cursor on; None if the client has all of it.

    Raises:
        ClientError: The caller may not watch it, or has a cursor of another stream; or the part
            after the cursor is no longer held.
        StoreError: The stream is not in this process, and the store fails.
    """
    stream = await watched(services, context, request.stream_id, request.ticket)
    cursor = parse_cursor(request.cursor, stream.tail.epoch)
    if not await _resume(services, summary, stream, cursor):
        return None
    output = request.dialect.output_for(OutputOptions(usage=request.usage))
    return await leased_view(
        services, context, stream, request.dialect, cursor, request.viewer, output=output
    )


async def reconnect(
    services: Services,
    context: RequestContext,
    summary: RequestSummary,
    dialect: Dialect,
    cursor: Cursor,
    viewer: str | None,
) -> View | None:
    """As ``watch``, for an ``EventSource``, whose cursor names the stream.

    Raises:
        ClientError: As ``watch``; or the cursor does not name its stream.
        StoreError: As ``watch``.
    """
    stream = await services.hub.find(stream_id_of(cursor), context.caller.id)
    if not await _resume(services, summary, stream, cursor):
        return None
    return await event_source_view(services, context, stream, dialect, cursor, viewer)


async def event_source_view(
    services: Services,
    context: RequestContext,
    stream: Stream,
    dialect: Dialect,
    cursor: Cursor | None,
    viewer: str | None,
) -> View:
    """Return a view whose event ids name the stream, so that an id is all a client has to keep.

    Raises:
        ClientError: As ``leased_view``.
    """
    prefix = f"{stream.meta.id}."
    return await leased_view(services, context, stream, dialect, cursor, viewer, id_prefix=prefix)


async def cancel(
    services: Services, context: RequestContext, summary: RequestSummary, stream_id: str
) -> EndReason:
    """Cancel the caller's stream and close the connection to the provider; return why it ended.

    Raises:
        ClientError: The caller has no such stream (404, ``stream_not_found``).
        StoreError: The stream runs elsewhere, and the store fails.
    """
    stream = await services.hub.find(stream_id, context.caller.id)
    summary.stream_cancelled(stream)
    end = await services.hub.cancel(stream)
    return end.reason


async def _resume(
    services: Services, summary: RequestSummary, stream: Stream, cursor: Cursor | None
) -> bool:
    """Wait for the stream to reach the cursor; return whether anything is left to read."""
    summary.stream_joined(stream, cursor.last if cursor else None)
    if is_finished(stream, cursor):
        return False
    await services.hub.reach(stream, cursor)
    return True
