"""The state of the app, for readiness probes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..dialects.protocol import JSON
from ..errors import TokenwireError
from .services import Services


async def readiness(services: Services, scope: Mapping[str, Any]) -> tuple[bool, JSON]:
    """Return whether the app accepts requests, and its state.

    Args:
        services: The app's services.
        scope: The ASGI scope of the request. Only a caller that may use the server is told which
            providers are on.
    """
    ready = not services.hub.closing
    status: JSON = {"status": "ok" if ready else "shutting_down"}
    if await _may_know(services, scope):
        status |= {"providers": services.catalog.status, "off": services.catalog.off}
        if (store := services.hub.store_status) is not None:
            # A failing store does not make the app unready: streams run, but in this process alone.
            status["store"] = store
    return ready, status


async def _may_know(services: Services, scope: Mapping[str, Any]) -> bool:
    try:
        await services.authenticate(scope)
    except TokenwireError:
        # The caller has no key; or the keys cannot be read, and then no caller can be identified.
        return False
    return True
