"""One module per family of routes: parse the request, call the gateway, render the response."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.routing import Route

from ...dialects import Dialect
from . import dialects as endpoints
from . import events, models, pages, probes, responses, streams, ui


def routes(dialects: Mapping[str, Dialect]) -> list[Route]:
    """Return all routes of an app with these dialects.

    For an app that serves them itself: ``include_router`` would build each of them again with the
    first request, and look for the route of every request twice.

    The endpoints come last, so that no dialect of a plugin can take over another route.
    """
    routers = (
        responses.router,
        ui.router,
        models.router,
        events.router,
        streams.router,
        probes.router,
        pages.router,
        endpoints.router(dialects),
    )
    return [route for router in routers for route in router.routes if isinstance(route, Route)]
