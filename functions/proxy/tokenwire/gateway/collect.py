"""Answer without streaming: collect all of a stream, then fold it into one JSON object."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from ..dialects.protocol import JSON, Dialect, Output, as_exception
from ..errors import ClientError, UpstreamError
from ..streams.reader import Reader
from ..streams.stream import Stream
from ..streams.viewer import Delivery
from .context import RequestContext
from .memory import RequestMemory
from .offload import apart
from .recording import RequestSummary
from .services import Services
from .translation import fold

T = TypeVar("T")


async def complete_answer(
    services: Services,
    context: RequestContext,
    summary: RequestSummary,
    stream: Stream,
    dialect: Dialect,
    output: Output,
    render: Callable[[JSON], T],
) -> T:
    """Return the complete answer of a stream in a dialect, rendered.

    Args:
        services: The app's services.
        context: The request's context.
        summary: What the request has done, for its log line.
        stream: The stream.
        dialect: The dialect of the answer.
        output: What the client gets of the stream.
        render: Makes the response of the answer; called in a thread where the answer is long.

    Raises:
        TokenwireError: The stream ended with this error.
        ClientError: The client disconnected (499, ``client_disconnected``).
        ProxyError: The answer does not fit in memory (503, ``overloaded``).
        UpstreamError: A block cannot be read (``upstream_malformed``).
    """
    blocks = await _collect(services, context, summary, stream)
    encoder = output.encoder()
    return await apart(
        sum(map(len, blocks)),
        lambda: render(fold(services.dialects, stream, dialect, blocks, encoder)),
    )


async def _collect(
    services: Services, context: RequestContext, summary: RequestSummary, stream: Stream
) -> list[bytes]:
    with services.hub.watch(stream, 1) as reader:
        watcher = asyncio.create_task(_stop_at_disconnect(context, reader))
        try:
            return await _blocks(reader, services.settings.max_stream_bytes, context.memory)
        finally:
            watcher.cancel()
            summary.stream_left(stream, Delivery(), disconnected=reader.stopped)
            if context.freezes:
                # After the response nothing runs: the store must have the end by then.
                await services.hub.settled(stream)


async def _stop_at_disconnect(context: RequestContext, reader: Reader) -> None:
    await context.disconnected()
    reader.stop()


async def _blocks(reader: Reader, limit: int, memory: RequestMemory) -> list[bytes]:
    blocks: list[bytes] = []
    charged = reader.consumed
    while (ended := reader.ended) is None:
        await reader.wait(3600.0)
        if (why := reader.interruption) is not None:
            raise as_exception(why)
        if reader.stopped:
            raise ClientError("The client left.", code="client_disconnected", status=499)
        blocks += reader.take()
        if reader.consumed > limit:
            raise UpstreamError("The answer is too long to hold.", code="upstream_too_long")
        # Charge the answer that will be made of the blocks. The log has paid for the blocks.
        memory.grow(reader.consumed - charged)
        charged = reader.consumed
    _, end = ended
    if end.error is not None:
        raise as_exception(end.error)
    return blocks
