"""Handing a stream over to a worker: another invocation of the same function.

A Lambda environment stands still once its response has ended. A stream that is to outlive its
client's connection, or its environment's deadline, therefore runs in an asynchronous invocation
of its own, and its clients follow it through the store.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ..dialects.protocol import JSON, ChatRequest, as_event
from ..errors import ClientError, ProxyError
from ..stores.records import End, EndReason, Meta
from ..streams.policy import OnDisconnect
from ..streams.stream import Stream
from .observation import Observation
from .services import Services


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker is told. Its ``type`` tells it from the events of other senders.

    The request's body is in the event, which stays within the account; keys are not.
    """

    type: Literal["tokenwire.worker"] = "tokenwire.worker"
    version: Literal[1] = 1
    stream: str
    owner: str
    model: str
    dialect: str
    body: JSON
    grace: float | None
    headers: dict[str, str] = {}


def needs_worker(
    services: Services, seen: Observation, policy: OnDisconnect, *, alone: bool
) -> bool:
    """Whether a stream cannot run in this invocation.

    Args:
        services: The app's parts.
        seen: The request's record.
        policy: The stream's.
        alone: Whether the response ends before the stream does.

    Raises:
        ClientError: It cannot, and there is no store through which another could run it.
    """
    if not seen.freezes:
        return False
    if services.hub.is_shared:
        return alone or policy.grace is None
    if alone:
        raise ClientError(
            "This server is a Lambda function without a store: it stops once it has answered, and "
            "nobody else could run the stream. Start and watch it in one request "
            "(POST /api/stream), or set TOKENWIRE_STORE.",
            code="not_on_lambda",
            status=501,
        )
    return False


async def hand_over(
    services: Services, meta: Meta, request: ChatRequest, policy: OnDisconnect, seen: Observation
) -> Stream:
    """Let a worker run the stream; the stream as it can be followed here.

    Raises:
        ProxyError: Lambda, or the store, does not take it.
    """
    job = Job(
        stream=meta.id,
        owner=meta.owner,
        model=request.model,
        dialect=request.dialect,
        body=request.body,
        grace=policy.grace,
        headers=dict(request.headers),
    )
    await services.hub.reserve(meta)
    try:
        await services.invoker.invoke(seen.function_arn, msgspec.json.encode(job))
    except ProxyError as error:
        await services.hub.close_reserved(meta.id, End(EndReason.ERROR, as_event(error)))
        raise
    return await services.hub.find(meta.id, meta.owner)
