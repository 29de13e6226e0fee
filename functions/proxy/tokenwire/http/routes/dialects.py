"""The endpoints of the dialects: one POST for each dialect that has a path, also from a plugin."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from starlette.requests import Request
from starlette.responses import Response

from ...dialects import Dialect
from ...gateway.services import Services
from ..answer import answer
from ..context import identified, summary_of
from ..plain import Endpoint, Plain
from ..schemas import request_body


def endpoints(dialects: Mapping[str, Dialect]) -> Iterator[Plain]:
    """Yield the endpoint of every dialect."""
    for dialect in dialects.values():
        if endpoint := dialect.endpoint:
            description = {
                "name": dialect.name,
                "summary": endpoint.summary,
                "description": endpoint.description,
                "tags": [endpoint.tag],
                "openapi_extra": request_body(endpoint.body),
            }
            yield Plain(endpoint.path, _post(dialect), ("POST",), description)


def _post(dialect: Dialect) -> Endpoint:
    async def post(request: Request, services: Services) -> Response:
        context = await identified(request, services)
        return await answer(request, services, context, summary_of(request), dialect)

    return post
