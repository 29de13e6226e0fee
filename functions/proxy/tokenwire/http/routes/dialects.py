"""The endpoints of the dialects: one POST for each dialect that has a path, also from a plugin."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from fastapi import APIRouter, Request
from starlette.responses import Response

from ...dialects import Dialect
from ..answer import answer
from ..deferred import deferring
from ..dependencies import ContextDep, ServicesDep, SummaryDep
from ..schemas import request_body

_Route: TypeAlias = Callable[..., Awaitable[Response]]


def router(dialects: Mapping[str, Dialect]) -> APIRouter:
    """Return a router with the endpoint of every dialect."""
    found = deferring()
    for dialect in dialects.values():
        if endpoint := dialect.endpoint:
            found.add_api_route(
                endpoint.path,
                _post(dialect),
                methods=["POST"],
                name=dialect.name,
                summary=endpoint.summary,
                description=endpoint.description,
                tags=[endpoint.tag],
                response_model=None,
                openapi_extra=request_body(endpoint.body),
            )
    return found


def _post(dialect: Dialect) -> _Route:
    async def post(
        request: Request, services: ServicesDep, context: ContextDep, summary: SummaryDep
    ) -> Any:
        return await answer(request, services, context, summary, dialect)

    return post
