"""The app: a FastAPI app that can be served, mounted and extended."""

from __future__ import annotations

from aws_lambda_powertools import Logger
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from . import __version__
from .composition import Composition, compose
from .errors import ClientError, TokenwireError
from .gateway.services import Invoker
from .http.errors import on_error
from .http.plain import PlainRoute
from .http.routes.parametric import parametric_routes
from .http.routes.plain import own_routes, plugin_routes
from .registries import Registries
from .secrets import Secrets
from .settings import Settings
from .stores.contract import Store
from .telemetry import Numbers


def create_app(
    settings: Settings | None = None,
    secrets: Secrets | None = None,
    logger: Logger | None = None,
    *,
    durable: Store | None = None,
    invoker: Invoker | None = None,
    registries: Registries | None = None,
    numbers: Numbers | None = None,
) -> FastAPI:
    """Return tokenwire as an ASGI app.

    If ``settings`` are given, tokenwire does not read the environment; libraries such as boto3 do.

    Args:
        settings: By default those of the process, as ``from_environment``.
        secrets: Where references are looked up. By default, if settings are given, in SSM only.
        logger: By default one that writes one JSON line per request to standard output, or a short
            one to a terminal.
        durable: Where streams are kept. By default the store that the settings name.
        invoker: How workers are started. By default by Lambda's API.
        registries: What the settings can name. By default all that is installed.
        numbers: Where metrics are counted. By default in this process alone.

    Raises:
        ProxyError: The settings are wrong (``bad_setting``).
    """
    composition = compose(
        settings,
        secrets,
        logger,
        durable=durable,
        invoker=invoker,
        registries=registries,
        numbers=numbers,
    )
    app = routed(composition)
    app.router.lifespan_context = composition.lifespan
    for layer in reversed(composition.layers()):
        app.add_middleware(layer.cls, *layer.args, **layer.kwargs)
    return app


def from_environment() -> FastAPI:
    """Return the app as the process's environment configures it: a factory for ASGI servers.

    Raises:
        ProxyError: The settings are wrong (``bad_setting``).
    """
    return create_app()


def routed(composition: Composition) -> FastAPI:
    """Return all routes of a composition, without the layers around them, as an app."""
    app = FastAPI(
        title="tokenwire",
        version=__version__,
        summary="Any LLM's token stream, to any browser",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # A redirect would name the host and scheme of the last hop, which a proxy has changed.
        redirect_slashes=False,
        exception_handlers={
            TokenwireError: on_error,
            HTTPException: on_error,
            RequestValidationError: _on_bad_parameter,
            Exception: on_error,
        },
    )
    services = composition.services
    app.state.services = services
    app.state.worker = composition.worker
    dialects = services.dialects
    app.router.routes.extend(PlainRoute(plain, services) for plain in own_routes(dialects))
    app.router.routes.extend(parametric_routes())
    app.router.routes.extend(PlainRoute(plain, services) for plain in plugin_routes(dialects))
    return app


async def _on_bad_parameter(request: Request, error: RequestValidationError) -> Response:
    name = ".".join(map(str, error.errors()[0]["loc"][1:]))
    return await on_error(request, ClientError(f"The parameter {name} is malformed.", param=name))
