"""An app of which FastAPI is a part that can wait: for servers that serve nothing else."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias, cast

from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from .composition import Composition

Front: TypeAlias = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]


def front(composition: Composition, rest: ASGIApp) -> Front:
    """Return an ASGI app that serves plain routes before, and without, the rest.

    Args:
        composition: Its services and layers.
        rest: Serves all other requests.
    """
    app: ASGIApp = Router(default=rest, redirect_slashes=False, lifespan=composition.lifespan)
    for layer in reversed(composition.layers()):
        app = layer.cls(app, *layer.args, **layer.kwargs)
    return cast("Front", app)  # the outermost layer's __call__ is a coroutine function


class Deferred:
    """An ASGI app that is made with its first request.

    Args:
        make: Makes it.
    """

    def __init__(self, make: Callable[[], ASGIApp]) -> None:
        self._make = make
        self._app: ASGIApp | None = None

    def prepare(self) -> ASGIApp:
        """Make it now, unless it was made before."""
        if self._app is None:
            self._app = self._make()
        return self._app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self.prepare()(scope, receive, send)
