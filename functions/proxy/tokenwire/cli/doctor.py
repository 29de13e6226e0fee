"""``tokenwire doctor``: whether what the settings name can be reached and used."""

from __future__ import annotations

import click

from . import options


@click.command()
@options.config
def doctor(config: str | None) -> None:
    """Ask each provider, the store and AWS whether they answer, and say what to do."""
    options.configuration(config=config)
