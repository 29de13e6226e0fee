"""``tokenwire lambda``: the function as it is deployed, behind a local function URL."""

from __future__ import annotations

import click

from . import options


@click.command(
    "lambda",
    context_settings={"ignore_unknown_options": True, "help_option_names": ["-h", "--help"]},
)
@options.host
@options.port
@options.config
@click.argument("rest", nargs=-1, type=click.UNPROCESSED, metavar="[OPTIONS OF lambda_asgi.local]")
def function_url(
    host: str | None, port: str | None, config: str | None, rest: tuple[str, ...]
) -> None:
    """Run the function as deployed, with a store, behind a local function URL.

    Further options are those of python -m lambda_asgi.local: --reload, --concurrency, --timeout …
    """
    from ..local.__main__ import run

    settings = options.configuration(host=host, port=port, config=config).settings
    run(["--host", settings.host, "--port", str(settings.port), *rest], settings, config)
