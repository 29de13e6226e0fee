"""A whole stream at once, for a client that wants one answer."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from ..dialects.protocol import as_exception
from ..errors import ClientError, UpstreamError
from ..gateway.hold import Hold
from ..gateway.observation import Observation
from ..gateway.services import Services
from ..streams.stream import Stream
from ..streams.tail import Reader
from .response import watch_disconnect


async def collect(
    request: Request, services: Services, stream: Stream, observation: Observation
) -> list[bytes]:
    """Every block of the stream, once it is whole.

    Raises:
        TokenwireError: What ended the stream before it was whole.
        ClientError: The caller went away meanwhile (499, ``client_disconnected``).
        ProxyError: There is no memory left for the answer (503, ``overloaded``).
    """
    with services.hub.watch(stream, 1) as reader:
        watcher = asyncio.create_task(watch_disconnect(request.receive, reader))
        try:
            hold = observation.held(services.hub.account(stream.meta.owner))
            return await _all(reader, services.settings.max_stream_bytes, hold)
        finally:
            watcher.cancel()
            observation.see(stream, disconnected=reader.stopped)
            if observation.freezes:
                await services.hub.settled(stream)  # as StreamResponse does


async def _all(reader: Reader, limit: int, hold: Hold) -> list[bytes]:
    blocks: list[bytes] = []
    held = reader.consumed
    while (ended := reader.ended) is None:
        await reader.wait(3600.0)
        if (why := reader.interruption) is not None:
            raise as_exception(why)
        if reader.stopped:
            raise ClientError("The caller left.", code="client_disconnected", status=499)
        blocks += reader.take()
        if reader.consumed > limit:
            raise UpstreamError("The answer is too long to hold.", code="upstream_too_long")
        # The answer, as it will be put together: the blocks themselves are on the log's account.
        hold.grow(reader.consumed - held)
        held = reader.consumed
    _, end = ended
    if end.error is not None:
        raise as_exception(end.error)
    return blocks
