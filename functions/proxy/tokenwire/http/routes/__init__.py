"""One module per family of routes: parse the request, call the gateway, render the response."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter

from ...dialects import Dialect
from . import dialects as endpoints
from . import events, models, pages, probes, responses, streams, ui


def routers(dialects: Mapping[str, Dialect]) -> tuple[APIRouter, ...]:
    """Return all routers of an app with these dialects.

    The endpoints come last, so that no dialect of a plugin can take over another route.
    """
    return (
        responses.router,
        ui.router,
        models.router,
        events.router,
        streams.router,
        probes.router,
        pages.router,
        endpoints.router(dialects),
    )
