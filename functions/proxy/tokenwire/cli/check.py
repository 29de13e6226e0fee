"""``tokenwire check``: whether the settings, the file and the references are right."""

from __future__ import annotations

import click

from ..app import create_app
from ..auth.loopback import check_bind
from . import options


@click.command()
@options.config
def check(config: str | None) -> None:
    """Check the settings without starting a server; the exit status is 1 if one is wrong."""
    found = options.configuration(config=config)
    app = create_app(found.settings, found.secrets, registries=found.registries)
    check_bind(app.state.services.authenticate, found.settings.host)
    click.echo("The settings are right.")
