"""``GET /v1/models``: what this caller may ask for."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from .services import Parts, Who

router = APIRouter(tags=["OpenAI Chat Completions"])


@router.get("/v1/models", summary="List the models")
async def models(parts: Parts, who: Who) -> Response:
    """The aliases, and every model that the providers that are on say they have."""
    data = [
        {"id": name, "object": "model", "created": 0, "owned_by": name.partition("/")[0]}
        for name in await parts.catalog.names()
    ]
    return JSONResponse({"object": "list", "data": data, "default": parts.catalog.default})
