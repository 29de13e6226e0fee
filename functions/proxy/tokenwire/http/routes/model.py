"""``/v1/models/{model}``: one model."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from starlette.responses import JSONResponse, Response

from ..deferred import deferring
from ..dependencies import ContextDep, ServicesDep
from .models import model_object

router = deferring(tags=["OpenAI Chat Completions"])

Name = Annotated[str, Path(description="As in a request.", min_length=1, max_length=256)]


@router.get("/v1/models/{model:path}", summary="Read a model")
async def model(model: Name, services: ServicesDep, context: ContextDep) -> Response:
    """One model by its name, with or without its provider; 404 if there is none."""
    await services.catalog.check(model)
    return JSONResponse(model_object(model))
