"""``/healthz``, ``/readyz``, ``/metrics`` and ``/openapi.json``: for those who run it."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from ...errors import TokenwireError
from ...gateway.services import Services
from ..dependencies import Parts, Who
from ..openapi import document

router = APIRouter(tags=["Operation"])


@router.get("/healthz", summary="Is the process alive?")
async def healthz() -> Response:
    """Always 200 while the process can answer at all."""
    return JSONResponse({"status": "ok"})


@router.get("/readyz", summary="Can it serve?")
async def readyz(request: Request, parts: Parts) -> Response:
    """200, or 503 when shutting down.

    To those who may use the server: also the providers that are on, and why others are off.
    """
    ready = not parts.hub.closing
    status: dict[str, object] = {"status": "ok" if ready else "shutting_down"}
    if await _may_know(request, parts):
        status |= _topology(parts)
    return JSONResponse(status, status_code=200 if ready else 503)


async def _may_know(request: Request, parts: Services) -> bool:
    try:
        await parts.authenticate(request.scope)
    except TokenwireError:
        # A stranger; or their keys cannot be read, and then anyone might be one.
        return False
    return True


def _topology(parts: Services) -> dict[str, object]:
    found: dict[str, object] = {"providers": parts.catalog.status, "off": parts.catalog.off}
    if (store := parts.hub.store_status) is not None:
        # Not a reason to take no requests: streams go on, but live in this process alone.
        found["store"] = store
    return found


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request, who: Who) -> Response:
    """The API's description; needs a key where the server has keys."""
    return JSONResponse(await asyncio.to_thread(lambda: document(request.app)))


@router.get("/metrics", summary="Prometheus metrics")
async def metrics(parts: Parts, who: Who) -> Response:
    """In the Prometheus text format; needs a key where the server has keys."""
    body, media_type = parts.metrics.render()
    return Response(body, media_type=media_type)
