"""``/openapi.json``: the API reference."""

from __future__ import annotations

import asyncio

from fastapi import Request
from starlette.responses import JSONResponse, Response

from ..deferred import deferring
from ..dependencies import ContextDep, ServicesDep
from ..openapi import document

router = deferring(include_in_schema=False)


@router.get("/openapi.json")
async def openapi(request: Request, services: ServicesDep, context: ContextDep) -> Response:
    """The description of the API; needs a key where the server has keys."""
    return JSONResponse(await asyncio.to_thread(lambda: document(request.app, services)))
