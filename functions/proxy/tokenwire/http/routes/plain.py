"""The routes without parameters, in the order in which they are served."""

from __future__ import annotations

from collections.abc import Mapping

from ...dialects import DIALECTS, Dialect
from ..plain import Plain
from .dialects import endpoints
from .models import MODELS
from .pages import PAGES
from .probes import PROBES
from .start import START


def own_routes(dialects: Mapping[str, Dialect]) -> list[Plain]:
    """Return the plain routes but those of other packages' dialects."""
    built_in = endpoints({name: dialects[name] for name in DIALECTS})
    return [MODELS, START, *PROBES, *PAGES, *built_in]


def plugin_routes(dialects: Mapping[str, Dialect]) -> list[Plain]:
    """Return the endpoints of other packages' dialects.

    They come after all routes, so that none of them can take over another.
    """
    names = [name for name in dialects if name not in DIALECTS]
    return list(endpoints({name: dialects[name] for name in names}))
