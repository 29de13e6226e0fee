"""The routes whose parameters FastAPI reads."""

from __future__ import annotations

from starlette.routing import Route

from . import events, model, reference, responses, streams, ui


def parametric_routes() -> list[Route]:
    """Return these routes.

    For an app that serves them itself: ``include_router`` would build each of them again with the
    first request, and look for the route of every request twice.
    """
    modules = (responses, ui, model, events, streams, reference)
    found = [route for module in modules for route in module.router.routes]
    return [route for route in found if isinstance(route, Route)]
