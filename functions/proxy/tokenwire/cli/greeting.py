"""What ``tokenwire serve`` prints once its port is bound."""

from __future__ import annotations

import sys

import click

from ..gateway.defaults import known_default
from ..gateway.services import Services
from ..references import is_reference
from ..settings import Settings
from ..stores.registry import StoreKinds, kind_of


def greeting(services: Services, stores: StoreKinds, port: int) -> str:
    """Return where the server listens, what is on, and who may call; without any secret.

    Args:
        services: Of the app.
        stores: The kinds of store by name.
        port: The port that is bound.
    """
    settings, catalog = services.settings, services.catalog
    off = "; ".join(f"{kind} ({why})" for kind, why in catalog.off.items())
    return (
        f"tokenwire on {address(settings.host, port)}\n"
        f"  providers: {', '.join(catalog.status) or 'none'}\n"
        f"  off: {off or 'none'}\n"
        f"  streams: {_kept(settings, stores)}\n"
        f"  workers: {settings.workers}\n"
        f"  {services.authenticate.description}"
    )


async def announce_providers(services: Services) -> None:
    """Print what each provider has answered, once all have.

    To a terminal the log does that.
    """
    if sys.stdout.isatty() or not services.settings.check_providers:
        return
    checks = await services.checks.results()
    for name, check in checks.items():
        click.echo(f"  {name}: {check.detail}", err=True)
    default = known_default(services)
    click.echo(f"  a request without a model: {default or 'refused'}", err=True)


def address(host: str, port: int) -> str:
    """Return the URL of a host, which may be an IPv6 address, and a port."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _kept(settings: Settings, stores: StoreKinds) -> str:
    """Return where streams are kept, without the address: that may hold a password."""
    if is_reference(settings.store):
        return f"in the store that {settings.store} names"
    return kind_of(settings.store, stores).description
