"""``/v1/responses/{response_id}``: read, resume and cancel a response of OpenAI Responses."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from starlette.responses import JSONResponse, Response

from ...dialects.responses import DIALECT
from ...gateway.responses import (
    cancel_response,
    find_response,
    input_page,
    response_object,
    resume_response,
)
from ..answer import streamed
from ..deferred import deferring
from ..dependencies import ContextDep, ServicesDep, SummaryDep

router = deferring(prefix="/v1/responses", tags=["OpenAI Responses"])

After = Annotated[int, Query(ge=-1, description="The last `sequence_number` that you have.")]
Limit = Annotated[int, Query(ge=1, le=100, description="Items of a page.")]
AfterItem = Annotated[str | None, Query(description="The id of the item before the page.")]


@router.get("/{response_id}", summary="Read or resume a response")
async def read(
    response_id: str,
    services: ServicesDep,
    context: ContextDep,
    summary: SummaryDep,
    stream: bool = False,
    starting_after: After = -1,
) -> Response:
    """The response as it stands, or with `stream=true` its events after `starting_after`.

    A number that a running response has not reached is a 400.
    The response repeats the request's settings where this process still has them.
    """
    summary.log.dialect = DIALECT.name
    found = await find_response(services, context, summary, response_id)
    if not stream:
        return JSONResponse(response_object(services, found))
    view = await resume_response(services, summary, found, starting_after)
    return streamed(services, context, summary, view)


@router.post("/{response_id}/cancel", summary="Cancel a response")
async def cancel(
    response_id: str, services: ServicesDep, context: ContextDep, summary: SummaryDep
) -> Response:
    """Stops the generation and closes the connection to the provider. Idempotent."""
    found = await find_response(services, context, summary, response_id)
    return JSONResponse(await cancel_response(services, summary, found))


@router.get("/{response_id}/input_items", summary="List a response's input")
async def input_items(
    response_id: str,
    services: ServicesDep,
    context: ContextDep,
    summary: SummaryDep,
    limit: Limit = 20,
    order: Literal["asc", "desc"] = "desc",
    after: AfterItem = None,
) -> Response:
    """The items of the request, the last first.

    The process that received the request holds it, as long as it has room.
    """
    found = await find_response(services, context, summary, response_id)
    return JSONResponse(input_page(services, found, limit, order, after))
