"""Find the stream that answers a chat by the chat's id, as ``useChat`` of the AI SDK resumes it."""

from __future__ import annotations

from ..dialects import checks
from ..dialects.protocol import JSON, Dialect
from ..errors import ClientError
from ..streams.stream import Stream
from .context import RequestContext
from .join import View, join
from .recording import RequestSummary
from .services import Services
from .start import Started


async def name_chat(services: Services, dialect: Dialect, started: Started) -> None:
    """Let the caller find the stream by its chat's id, where the request has one.

    A failure of the store is not raised: the answer runs, it only cannot be resumed.
    """
    chat_id = started.request.body.get(dialect.chat_field) if dialect.chat_field else None
    if isinstance(chat_id, str):
        await services.hub.names.bind(chat_id, started.stream)


async def resume_chat(
    services: Services,
    context: RequestContext,
    summary: RequestSummary,
    dialect: Dialect,
    chat_id: str,
) -> View | None:
    """Return a view of the chat's running answer from its beginning; None if no answer runs.

    Raises:
        ClientError: The chat's id is malformed (``invalid_value``).
        StoreError: The store fails.
    """
    stream = await _find(services, context, chat_id)
    if stream is None or stream.end is not None:
        return None
    summary.stream_joined(stream)
    return join(services.dialects, stream, dialect)


async def stop_chat(
    services: Services, context: RequestContext, summary: RequestSummary, chat_id: str
) -> JSON:
    """End the chat's answer; return the id of its stream and why it ended.

    Raises:
        ClientError: The caller has no such chat (404, ``stream_not_found``).
        StoreError: The store fails.
    """
    stream = await _find(services, context, chat_id)
    if stream is None:
        raise ClientError("There is no such chat.", code="stream_not_found", status=404)
    summary.stream_cancelled(stream)
    end = await services.hub.cancel(stream)
    return {"id": stream.meta.id, "end_reason": end.reason}


async def _find(services: Services, context: RequestContext, chat_id: str) -> Stream | None:
    owner = context.caller.id
    named = await services.hub.names.lookup(checks.valid_name(chat_id, "id"), owner)
    if named is None:
        return None
    try:
        return await services.hub.find(named.stream, owner)
    except ClientError:
        return None  # no longer held
