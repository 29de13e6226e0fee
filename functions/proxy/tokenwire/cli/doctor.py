"""``tokenwire doctor``: whether what the settings name can be reached and used."""

from __future__ import annotations

import asyncio
import sys

import click
import msgspec

from .. import provision
from ..composition import compose
from ..configuration import Configuration, references
from ..gateway.services import Services
from ..references import is_reference
from ..stores.contract import Store
from ..stores.kind import StoreKind
from ..stores.registry import kind_of
from . import options
from .findings import (
    Finding,
    now,
    of_clock,
    of_origins,
    of_provider,
    of_references,
    of_region,
    of_store,
)
from .report import report


@click.command()
@options.config
def doctor(config: str | None) -> None:
    """Check that each provider, the store and AWS answer, and print what to do where not.

    Each provider gets one request for its list of models, which costs nothing. The exit status
    is 1 if something cannot be used.
    """
    found = options.configuration(config=config)
    # What is logged is among the findings.
    quiet = msgspec.structs.replace(found.settings, log_level="ERROR")
    composition = compose(quiet, found.secrets, registries=found.registries)
    sys.exit(not report(asyncio.run(_findings(found, composition.services))))


async def _findings(found: Configuration, services: Services) -> list[Finding]:
    try:
        checks = await services.checks.results()
    finally:
        await services.catalog.aclose()
    settings = found.settings
    kind = _store_kind(found)
    used = {name: given.secrets().values() for name, given in settings.providers.items()}
    return [
        *[finding async for finding in of_references(found)],
        *(
            of_provider(name, check, filter(is_reference, used.get(name, ())))
            for name, check in checks.items()
        ),
        *(Finding(name, f"off: {why}") for name, why in services.catalog.off.items()),
        await of_store(_store(found), kind),
        of_region(found.environ, needs_aws=kind.needs_aws or _needs_aws(found)),
        of_origins(services),
        of_clock(checks.values(), now()),
    ]


def _store(found: Configuration) -> Store:
    return provision.store(found.settings, found.secrets.read, found.registries.stores)


def _store_kind(found: Configuration) -> StoreKind:
    given = found.settings.store
    url = found.secrets.read(given).strip() if is_reference(given) else given
    return kind_of(url, found.registries.stores)


def _needs_aws(found: Configuration) -> bool:
    """Return whether the settings use a provider of AWS, or SSM."""
    settings, kinds = found.settings, found.registries.providers
    uses_ssm = any(name.startswith("ssm:") for name in (*references(settings), settings.store))
    return uses_ssm or any(kinds[given.kind].needs_aws for given in settings.providers.values())
