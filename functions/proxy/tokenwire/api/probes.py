"""``/healthz``, ``/readyz`` and ``/metrics``: for those who run it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from .services import Parts, Who

router = APIRouter(tags=["Operation"])


@router.get("/healthz", summary="Is the process alive?")
async def healthz() -> Response:
    """Always 200 while the process can answer at all."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", summary="Can it serve?")
async def readyz(parts: Parts) -> Response:
    """200 with the providers that are on and why others are off; 503 when shutting down."""
    ready = not parts.hub.closing
    catalog = parts.catalog
    word = "ok" if ready else "shutting_down"
    status = {"status": word, "providers": catalog.status, "off": catalog.off}
    if parts.hub.store is not None:
        # Not a reason to take no requests: streams go on, but live in this process alone.
        status["store"] = "degraded" if parts.hub.health.failing else "ok"
    return JSONResponse(status, status_code=200 if ready else 503)


@router.get("/metrics", summary="Prometheus metrics")
async def metrics(parts: Parts, who: Who) -> Response:
    """In the Prometheus text format; needs a key where the server has keys."""
    body, media_type = parts.metrics.render()
    return Response(body, media_type=media_type)
