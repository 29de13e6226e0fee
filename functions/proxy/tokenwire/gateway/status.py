"""The state of the app, for readiness probes."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from ..dialects.protocol import JSON
from .defaults import known_default
from .services import Services

_WAIT = 2.0
"""Seconds that a list of models waits for providers that have not answered yet."""


def readiness(services: Services, *, may_know: bool) -> tuple[bool, JSON]:
    """Return whether the app accepts requests, and its state.

    Args:
        services: The app's services.
        may_know: Whether to tell which providers are on: only to a caller that may use the server.
    """
    ready = not services.hub.closing
    status: JSON = {"status": "ok" if ready else "shutting_down"}
    if may_know:
        services.checks.start_if_due()
        status |= {
            "providers": services.catalog.status,
            "checks": {name: one.summary() for name, one in services.checks.latest.items()},
            "default_model": known_default(services),
            "off": services.catalog.off,
        }
        if (store := services.hub.store_status) is not None:
            # A failing store does not make the app unready: streams run, but in this process alone.
            status["store"] = store
    return ready, status


async def provider_summaries(services: Services) -> dict[str, JSON]:
    """Return what is known of each provider, and why others are off, by name.

    Providers are checked if the settings require it, or if the default model depends on it.
    """
    if services.settings.check_providers or not services.catalog.default:
        with suppress(TimeoutError):
            async with asyncio.timeout(_WAIT):
                await services.checks.results()
    found = {name: one.summary() for name, one in services.checks.latest.items()}
    off = {name: {"status": "off", "detail": why} for name, why in services.catalog.off.items()}
    return {**found, **off}
