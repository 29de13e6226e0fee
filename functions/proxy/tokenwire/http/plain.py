"""Routes that FastAPI only describes: it neither serves them nor is imported for them.

FastAPI reads the parameters of a request, and what is made of them, from an endpoint's signature.
Routes without parameters need none of that, and most requests are for these. FastAPI and pydantic
are a third of a cold start; FastAPI's handler is a third of the CPU time of a request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ..errors import TokenwireError
from ..gateway.services import Services
from .errors import on_error
from .paths import route_path

Endpoint: TypeAlias = Callable[[Request, Services], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Plain:
    """What is served at one path.

    Args:
        path: Without parameters.
        endpoint: Answers a request.
        methods: Those of the path; for all others it has status 405.
        description: What the API reference has: arguments of FastAPI's ``APIRoute``. None to leave
            the path out.
    """

    path: str
    endpoint: Endpoint
    methods: Sequence[str] = ("GET",)
    description: dict[str, Any] | None = field(default_factory=dict)


class PlainRoute(Route):
    """A ``Plain`` as a route in the router of a FastAPI app.

    Args:
        plain: What is served.
        services: The app's services.
    """

    def __init__(self, plain: Plain, services: Services) -> None:
        name: str = getattr(plain.endpoint, "__name__", plain.path)
        super().__init__(plain.path, _Serve(plain, services), name=name)
        self.methods = set(plain.methods)
        self.plain = plain


class PlainRoutes:
    """Pure ASGI middleware that serves plain routes, and passes all other requests on.

    Args:
        app: Also has these routes, for the methods that they do not have.
        plains: Of two for the same method and path, the first is served.
        services: The app's services.
    """

    def __init__(self, app: ASGIApp, plains: Iterable[Plain], services: Services) -> None:
        self._app = app
        self._found: dict[tuple[str, str], tuple[Plain, ASGIApp]] = {}
        for plain in plains:
            served = plain, _Serve(plain, services)
            for method in plain.methods:
                self._found.setdefault((method, plain.path), served)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        app = self._app
        if scope["type"] == "http":
            found = self._found.get((scope["method"], route_path(scope)))
            if found is not None:
                scope["route"], app = found
        await app(scope, receive, send)


class _Serve:
    """The ASGI app of an endpoint; answers an error in the dialect of its path."""

    def __init__(self, plain: Plain, services: Services) -> None:
        self._endpoint = plain.endpoint
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._endpoint(request, self._services)
            await response(scope, receive, send)
        except TokenwireError as error:
            # A response raises one only before it has begun.
            response = await on_error(request, error)
            await response(scope, receive, send)
