"""The routes without parameters, in the order in which they are served."""

from __future__ import annotations

from ...dialects import DIALECTS
from ...gateway.services import Services
from ..plain import PlainRoute
from .dialects import endpoints
from .models import MODELS
from .pages import PAGES
from .probes import PROBES
from .start import START


def own_routes(services: Services) -> list[PlainRoute]:
    """Return the plain routes but those of other packages' dialects."""
    built_in = endpoints({name: services.dialects[name] for name in DIALECTS})
    return [PlainRoute(plain, services) for plain in (MODELS, START, *PROBES, *PAGES, *built_in)]


def plugin_routes(services: Services) -> list[PlainRoute]:
    """Return the endpoints of other packages' dialects.

    They come after all routes, so that none of them can take over another.
    """
    names = [name for name in services.dialects if name not in DIALECTS]
    found = endpoints({name: services.dialects[name] for name in names})
    return [PlainRoute(plain, services) for plain in found]
