"""``/healthz``, ``/readyz``, ``/metrics`` and ``/openapi.json``: for operators."""

from __future__ import annotations

import asyncio

from fastapi import Request
from starlette.responses import JSONResponse, Response

from ...gateway.status import readiness
from ..deferred import deferring
from ..dependencies import ContextDep, ServicesDep
from ..openapi import document

router = deferring(tags=["Operation"])


@router.get("/healthz", summary="Is the process alive?")
async def healthz() -> Response:
    """200 as long as the process can answer."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", summary="Can it serve?")
async def readyz(request: Request, services: ServicesDep) -> Response:
    """200, or 503 when shutting down.

    A caller that may use the server also gets the providers that are on, and why others are off.
    """
    ready, status = await readiness(services, request.scope)
    return JSONResponse(status, status_code=200 if ready else 503)


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request, services: ServicesDep, context: ContextDep) -> Response:
    """The description of the API; needs a key where the server has keys."""
    return JSONResponse(await asyncio.to_thread(lambda: document(request.app, services.dialects)))


@router.get("/metrics", summary="Prometheus metrics")
async def metrics(services: ServicesDep, context: ContextDep) -> Response:
    """In the Prometheus text format; needs a key where the server has keys."""
    body, media_type = services.metrics.render()
    return Response(body, media_type=media_type)
