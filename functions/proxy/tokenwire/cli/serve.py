"""``tokenwire serve``: the app under uvicorn, on this machine."""

from __future__ import annotations

import sys

import click

from ..auth.loopback import check_bind
from ..composition import compose
from ..configuration import Configuration
from ..errors import ProxyError
from ..server.listeners import Listeners
from . import options
from .greeting import announce_providers, greeting
from .running import check_workers, run, run_together


@click.command()
@options.host
@options.port
@click.option("--workers", metavar="NUMBER", help="Processes that share the port (1).")
@options.config
def serve(host: str | None, port: str | None, workers: str | None, config: str | None) -> None:
    """Serve the page and the API."""
    found = options.configuration(host=host, port=port, workers=workers, config=config)
    settings = found.settings
    composition = compose(settings, found.secrets, registries=found.registries, color=found.color)
    services = composition.services
    check_bind(services.authenticate, settings.host)
    check_workers(settings, is_shared=services.hub.is_shared)
    listeners = _listeners(found)
    _say(greeting(services, found.registries.stores, listeners.port))
    try:
        if settings.workers > 1:
            sys.exit(run_together(found, listeners))
        run(composition, listeners.only(0), announce_providers)
    except KeyboardInterrupt:
        # Ctrl-C is the usual way to stop, so it ends in one line.
        _say("tokenwire: stopped")


def _listeners(found: Configuration) -> Listeners:
    """Bind the port, before anything is printed about it.

    Raises:
        ProxyError: It cannot be bound (``refuse_to_start``).
    """
    host, port = found.settings.host, found.settings.port
    try:
        return Listeners(host, port, found.settings.workers)
    except OSError as error:
        raise ProxyError(
            f"cannot listen on {host}:{port}: {error.strerror}. Choose another address with "
            "--host and --port, or TOKENWIRE_HOST and TOKENWIRE_PORT.",
            code="refuse_to_start",
        ) from None


def _say(text: str) -> None:
    click.echo(text, file=sys.stderr)
