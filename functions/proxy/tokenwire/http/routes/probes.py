"""``/healthz``, ``/readyz`` and ``/metrics``: for operators."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...gateway.services import Services
from ...gateway.status import readiness
from ..context import identified, is_known
from ..plain import Plain


async def healthz(request: Request, services: Services) -> Response:
    """200 as long as the process can answer."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request, services: Services) -> Response:
    """200, or 503 when shutting down.

    A caller that may use the server also gets the providers that are on, and why others are off.
    """
    ready, status = readiness(services, may_know=await is_known(request, services))
    return JSONResponse(status, status_code=200 if ready else 503)


async def metrics(request: Request, services: Services) -> Response:
    """In the Prometheus text format; needs a key where the server has keys."""
    await identified(request, services)
    body, media_type = services.metrics.render()
    return Response(body, media_type=media_type)


_TAGS = ["Operation"]
PROBES = (
    Plain("/healthz", healthz, description={"summary": "Is the process alive?", "tags": _TAGS}),
    Plain("/readyz", readyz, description={"summary": "Can it serve?", "tags": _TAGS}),
    Plain("/metrics", metrics, description={"summary": "Prometheus metrics", "tags": _TAGS}),
)
