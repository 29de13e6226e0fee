"""``/v1/models``: the models that this caller may use."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from starlette.responses import JSONResponse, Response

from ...gateway.defaults import known_default
from ...gateway.status import provider_summaries
from ..deferred import deferring
from ..dependencies import ContextDep, ServicesDep

router = deferring(tags=["OpenAI Chat Completions"])


@router.get("/v1/models", summary="List the models")
async def models(services: ServicesDep, context: ContextDep) -> Response:
    """The aliases, and the models that each provider lists.

    `default` is the model of a request without one. `providers` has, for each provider that is on,
    whether it can be used, and for others why they are off.
    """
    providers = await provider_summaries(services)
    data = [_model(name) for name in await services.catalog.names()]
    default = known_default(services)
    return JSONResponse(
        {"object": "list", "data": data, "default": default, "providers": providers}
    )


Name = Annotated[str, Path(description="As in a request.", min_length=1, max_length=256)]


@router.get("/v1/models/{model:path}", summary="Read a model")
async def model(model: Name, services: ServicesDep, context: ContextDep) -> Response:
    """One model by its name, with or without its provider; 404 if there is none."""
    await services.catalog.check(model)
    return JSONResponse(_model(model))


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": name.partition("/")[0]}
