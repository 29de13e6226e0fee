"""``/v1/models``: the models that this caller may use."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ...gateway.defaults import known_default
from ...gateway.services import Services
from ...gateway.status import provider_summaries
from ..context import identified
from ..plain import Plain


async def models(request: Request, services: Services) -> Response:
    """The aliases, and the models that each provider lists.

    `default` is the model of a request without one. `providers` has, for each provider that is on,
    whether it can be used, and for others why they are off.
    """
    await identified(request, services)
    providers = await provider_summaries(services)
    data = [model_object(name) for name in await services.catalog.names()]
    default = known_default(services)
    return JSONResponse(
        {"object": "list", "data": data, "default": default, "providers": providers}
    )


def model_object(name: str) -> dict[str, object]:
    """Return OpenAI's object for a model."""
    return {"id": name, "object": "model", "created": 0, "owned_by": name.partition("/")[0]}


MODELS = Plain(
    "/v1/models",
    models,
    description={"summary": "List the models", "tags": ["OpenAI Chat Completions"]},
)
