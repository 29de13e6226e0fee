"""``tokenwire check``: whether the settings, the file and the references are right."""

from __future__ import annotations

import asyncio
import sys

import click

from ..auth.loopback import check_bind
from ..composition import compose
from ..configuration import Configuration
from . import options
from .findings import Finding, of_references
from .report import report
from .running import check_workers


@click.command()
@options.config
def check(config: str | None) -> None:
    """Check the settings and the keys they name; the exit status is 1 if one is wrong.

    No provider is called, and no server started.
    """
    found = options.configuration(config=config)
    services = compose(found.settings, found.secrets, registries=found.registries).services
    check_bind(services.authenticate, found.settings.host)
    check_workers(found.settings, is_shared=services.hub.is_shared)
    names = ", ".join(services.catalog.status) or "none"
    right = Finding("settings", f"right; providers: {names}")
    sys.exit(not report([right, *asyncio.run(_references(found))]))


async def _references(found: Configuration) -> list[Finding]:
    return [finding async for finding in of_references(found)]
