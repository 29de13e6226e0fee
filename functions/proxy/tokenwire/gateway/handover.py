"""Hand a stream over to a worker: another invocation of the same Lambda function.

A Lambda environment freezes once its response has ended. A stream that has to outlive its
client's connection, or its environment's deadline, therefore runs in an asynchronous invocation
of its own, and its clients follow it through the store.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ..dialects.protocol import JSON, ParsedRequest, as_event
from ..errors import ClientError, ProxyError
from ..stores.records import End, EndReason, Meta
from ..streams.policy import OnDisconnect
from ..streams.stream import Stream
from .context import RequestContext
from .services import Services

TYPE = "tokenwire.worker"
"""The ``type`` of the event for a worker, which no other sender uses."""


class Job(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=TYPE):
    """The event for a worker.

    The event has the request's body, which stays within the AWS account; it has no keys.
    """

    version: Literal[1] = 1
    stream: str
    owner: str
    model: str
    dialect: str
    body: JSON
    grace: float | None
    headers: dict[str, str] = {}
    trace: dict[str, str] = {}


def needs_worker(
    services: Services, context: RequestContext, policy: OnDisconnect, *, detached: bool
) -> bool:
    """Whether a stream must run in another invocation than this one.

    Args:
        services: The app's services.
        context: The request's context.
        policy: The stream's policy.
        detached: Whether the response ends before the stream does.

    Raises:
        ClientError: It must, and no shared store lets another invocation run it (501,
            ``not_on_lambda``).
    """
    if not context.freezes:
        return False
    if services.hub.is_shared:
        return detached or policy.grace is None
    if detached:
        raise ClientError(
            "This server is a Lambda function without a store. It stops once it has answered, and "
            "no other process could run the stream. Start and watch the stream in one request "
            "(POST /api/stream), or set TOKENWIRE_STORE.",
            code="not_on_lambda",
            status=501,
        )
    return False


async def hand_over(
    services: Services,
    context: RequestContext,
    meta: Meta,
    request: ParsedRequest,
    policy: OnDisconnect,
) -> Stream:
    """Have a worker run the stream, and return the stream as it can be followed here.

    Raises:
        ProxyError: Lambda or the store does not accept it.
    """
    job = Job(
        stream=meta.id,
        owner=meta.owner,
        model=request.model,
        dialect=request.dialect,
        body=request.body,
        grace=policy.grace,
        headers=dict(request.headers),
        trace=dict(context.trace.headers) if context.trace else {},
    )
    await services.hub.reserve(meta)
    try:
        await services.invoker.invoke(context.function_arn, msgspec.json.encode(job))
    except ProxyError as error:
        await services.hub.close_reserved(meta.id, End(EndReason.ERROR, as_event(error)))
        raise
    return await services.hub.find(meta.id, meta.owner)
