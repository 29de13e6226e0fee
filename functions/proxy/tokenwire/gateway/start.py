"""From a request to a running stream."""

from __future__ import annotations

from ..auth.callers import Caller
from ..dialects.protocol import ChatRequest
from ..streams.policy import OnDisconnect
from ..streams.stream import Stream
from .handover import hand_over, needs_worker
from .idempotency import Idempotency
from .observation import Observation
from .prepare import holding, prepare
from .references import resolved
from .services import Services


async def begin(
    services: Services,
    caller: Caller,
    request: ChatRequest,
    on_disconnect: OnDisconnect,
    observation: Observation,
    idempotency: Idempotency | None = None,
    *,
    alone: bool = False,
) -> Stream:
    """Start a stream for a validated request, or find the one that it has started before.

    Args:
        services: The app's parts.
        caller: Whose stream it will be.
        request: What is asked.
        on_disconnect: What becomes of it without viewers.
        observation: The request's record.
        idempotency: The request's key.
        alone: Whether the response ends before the stream does.

    Raises:
        ClientError: Nobody answers for the model; or the key stands for another request.
        ProxyError: There is no room.
    """
    hub = services.hub
    if idempotency and (found := await idempotency.find(hub, caller.id)):
        observation.joins(found, None)
        return found
    elsewhere = needs_worker(services, observation, on_disconnect, alone=alone)
    request = await resolved(services, caller.id, request)
    prepared = prepare(services, caller.id, request)
    meta = prepared.meta
    hub.admit(caller.id)
    if idempotency and (found := await idempotency.claim(hub, caller.id, meta.id)):
        observation.joins(found, None)
        return found
    if elsewhere:
        stream = await hand_over(services, meta, request, on_disconnect, observation)
        observation.joins(stream, None)
        return stream
    observation.begins(meta)
    left = observation.seconds_left
    source = holding(prepared.source, observation.hold)
    return await hub.start(meta, source, on_disconnect, left, prepared.attempts)
