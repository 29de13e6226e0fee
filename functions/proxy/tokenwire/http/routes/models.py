"""``GET /v1/models``: what this caller may ask for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import JSONResponse, Response

from ...dialects.protocol import JSON
from ..dependencies import Parts, Who

router = APIRouter(tags=["OpenAI Chat Completions"])


@router.get("/v1/models", summary="List the models")
async def models(parts: Parts, who: Who) -> Response:
    """The aliases, and every model that the providers that are on say they have."""
    data = [_model(name) for name in await parts.catalog.names()]
    return JSONResponse({"object": "list", "data": data, "default": parts.catalog.default})


Name = Annotated[str, Path(description="As in a request.", min_length=1, max_length=256)]


@router.get("/v1/models/{model:path}", summary="Read a model")
async def model(model: Name, parts: Parts, who: Who) -> Response:
    """One model by its name, with or without its provider; 404 where there is none."""
    await parts.catalog.check(model)
    return JSONResponse(_model(model))


def _model(name: str) -> JSON:
    return {"id": name, "object": "model", "created": 0, "owned_by": name.partition("/")[0]}
