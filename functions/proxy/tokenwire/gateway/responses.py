"""Read, resume and cancel the responses of OpenAI's Responses API by their ids."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import Literal

from ..dialects import responses
from ..dialects.protocol import JSON, Output
from ..dialects.responses import input as responses_input
from ..dialects.responses.encode import ResponsesEncoder
from ..errors import ClientError
from ..streams.stream import Stream
from .context import RequestContext
from .join import View, join
from .numbers import check_number
from .recording import RequestSummary
from .services import Services
from .translation import decoder_of, translated


async def find_response(
    services: Services, context: RequestContext, summary: RequestSummary, response_id: str
) -> Stream:
    """Return the stream of the caller's response.

    Raises:
        ClientError: The caller has no such response (404, ``stream_not_found``).
        StoreError: The stream is not in this process, and the store fails.
    """
    stream_id = f"st_{response_id.removeprefix('resp_')}"
    stream = await services.hub.find(stream_id, context.caller.id)
    summary.stream_found(stream)
    return stream


async def resume_response(
    services: Services, summary: RequestSummary, stream: Stream, starting_after: int
) -> View:
    """Return a view of the response's events after a ``sequence_number``; -1 for all of them.

    Raises:
        ClientError: The response has not reached that number (400, ``invalid_cursor``).
    """
    summary.stream_joined(stream, starting_after if starting_after >= 0 else None)
    await check_number(stream, decoder_of(services.dialects, stream), starting_after)
    request = services.requests.get(stream.meta.id)
    output = Output(partial(ResponsesEncoder, starting_after, request))
    return join(services.dialects, stream, responses.DIALECT, output=output)


async def cancel_response(services: Services, summary: RequestSummary, stream: Stream) -> JSON:
    """End the stream of a response; return the response object.

    Raises:
        StoreError: The stream runs elsewhere, and the store fails.
    """
    summary.stream_cancelled(stream)
    await services.hub.cancel(stream)
    return response_object(services, stream)


def response_object(services: Services, stream: Stream) -> JSON:
    """Return the response object as it is at this moment.

    Raises:
        ClientError: The stream's beginning is no longer held (410, ``trimmed``).
        UpstreamError: A block cannot be read (``upstream_malformed``).
    """
    tail, encoder = stream.tail, ResponsesEncoder(request=services.requests.get(stream.meta.id))
    decoder = decoder_of(services.dialects, stream)
    with tail.attach(1) as reader:
        # ``take`` returns a part of what is held at a time.
        translated(decoder, stream, chain.from_iterable(iter(reader.take, [])), encoder)
    if tail.end is None:
        return encoder.snapshot()
    ending = encoder.end() if tail.end.error is None else encoder.error(tail.end.error)
    return responses.fold(ending)


def input_page(
    services: Services,
    stream: Stream,
    limit: int,
    order: Literal["asc", "desc"],
    after: str | None,
) -> JSON:
    """Return a page of the items of a response's request.

    Args:
        services: The app's services.
        stream: The stream of the response.
        limit: The maximum number of items.
        order: ``desc`` returns the last item first.
        after: The id of the item before the page; None for the first page.

    Raises:
        ClientError: This process does not hold the request (404, ``input_not_held``), or has no
            item ``after`` (``invalid_value``).
    """
    request = services.requests.get(stream.meta.id)
    if request is None:
        raise ClientError(
            "The input of this response is not held.", code="input_not_held", status=404
        )
    items = responses_input.items(request, stream.meta.id)
    page = responses_input.page(items, limit=limit, descending=order == "desc", after=after)
    if page is None:
        raise ClientError(
            "after is not the id of an item of this input.", code="invalid_value", param="after"
        )
    return page
