"""``/v1/responses``: the OpenAI Responses API, streamed, whole, resumed and cancelled."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from ...dialects import responses
from ...dialects.protocol import JSON, ChatRequest
from ...dialects.responses import input as responses_input
from ...dialects.responses.encode import ResponsesEncoder
from ...errors import ClientError
from ...gateway.join import join
from ...gateway.numbers import check_number
from ...gateway.output import Output
from ...gateway.services import Services
from ...gateway.translation import translated
from ...streams.stream import Stream
from ..answer import answer
from ..dependencies import Observed, Parts, Who
from ..errors import refusal
from ..manners import GRACE, manners
from ..response import StreamResponse
from ..schemas import RESPONSES

router = APIRouter(prefix="/v1/responses", tags=["OpenAI Responses"])

After = Annotated[int, Query(ge=-1, description="The last `sequence_number` that you have.")]

Limit = Annotated[int, Query(ge=1, le=100, description="Items of a page.")]


@router.post("", openapi_extra=RESPONSES, summary="Create a response")
async def create(request: Request, parts: Parts, who: Who, seen: Observed) -> Response:
    """Answers as OpenAI does: a response, or its events with `"stream": true`.

    A streamed response can be resumed by its id, from whatever provider it comes. Tools that
    OpenAI itself runs, stored conversations and background mode are refused, by name.
    """
    dialect = responses.DIALECT

    def keep(stream_id: str, asked: ChatRequest) -> None:
        parts.requests.keep(stream_id, asked.body)

    return await answer(request, parts, who, seen, dialect, _output, GRACE, keep)


def _output(asked: ChatRequest) -> Output:
    return Output(partial(ResponsesEncoder, request=asked.body))


@router.get("/{response_id}", summary="Read or resume a response")
async def read(
    response_id: str,
    parts: Parts,
    who: Who,
    seen: Observed,
    stream: bool = False,
    starting_after: After = -1,
) -> Response:
    """The response as it stands, or with `stream=true` its events after `starting_after`.

    A number that a running response has not reached is a 400.
    The request's settings are repeated in it where this process still has them.
    """
    dialect = responses.DIALECT
    seen.log.dialect = dialect.name
    found = await _find(parts, response_id, who.id)
    seen.joins(found, None)
    if not stream:
        return JSONResponse(_snapshot(parts, found))
    await check_number(found, starting_after)
    encoder = ResponsesEncoder(starting_after, parts.requests.get(found.meta.id))
    reading = join(found, dialect, encoder=encoder)
    manner = manners(parts, refuse=refusal(dialect))
    return StreamResponse(parts.hub, found, reading, manner, seen)


@router.post("/{response_id}/cancel", summary="Cancel a response")
async def cancel(response_id: str, parts: Parts, who: Who, seen: Observed) -> Response:
    """Stops the generation and closes the connection to the provider. Idempotent."""
    found = await _find(parts, response_id, who.id)
    seen.joins(found, None)
    await parts.hub.cancel(found)
    return JSONResponse(_snapshot(parts, found))


@router.get("/{response_id}/input_items", summary="List a response's input")
async def input_items(
    response_id: str,
    parts: Parts,
    who: Who,
    seen: Observed,
    limit: Limit = 20,
    order: Literal["asc", "desc"] = "desc",
    after: Annotated[str | None, Query(description="The id of the item before the page.")] = None,
) -> Response:
    """The items of the request, the last first.

    A request is held in the process that took it, for as long as there is room.
    """
    found = await _find(parts, response_id, who.id)
    seen.joins(found, None)
    request = parts.requests.get(found.meta.id)
    if request is None:
        raise ClientError(
            "The input of this response is not held.", code="input_not_held", status=404
        )
    items = responses_input.items(request, found.meta.id)
    page = responses_input.page(items, limit=limit, descending=order == "desc", after=after)
    if page is None:
        raise ClientError("after is no item of this input.", code="invalid_value", param="after")
    return JSONResponse(page)


async def _find(parts: Services, response_id: str, owner: str) -> Stream:
    return await parts.hub.find(f"st_{response_id.removeprefix('resp_')}", owner)


def _snapshot(parts: Services, stream: Stream) -> JSON:
    """The response object as it stands.

    Raises:
        ClientError: The stream's beginning is no longer held (410, ``trimmed``).
        UpstreamError: A block cannot be read (``upstream_malformed``).
    """
    tail, encoder = stream.tail, ResponsesEncoder(request=parts.requests.get(stream.meta.id))
    with tail.attach(1) as reader:
        # A reader gives a part of what is held at a time.
        translated(stream, chain.from_iterable(iter(reader.take, [])), encoder)
    if tail.end is None:
        return encoder.snapshot()
    said = encoder.end() if tail.end.error is None else encoder.error(tail.end.error)
    return responses.fold(said)
