"""``python -m tokenwire.local``: the function as Lambda runs it, behind a local function URL."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from lambda_asgi.local.__main__ import main as function_url
from lambda_asgi.local.report import notice

from ..configuration import Configuration
from ..errors import ProxyError
from ..settings import Settings
from .choice import chosen
from .stack import limits

HANDLER = "tokenwire.lambda_handler:handler"


def run(arguments: Sequence[str], settings: Settings, config: str | None = None) -> None:
    """Serve with a store and the stack's limits, until SIGINT or SIGTERM.

    Args:
        arguments: Options of ``python -m lambda_asgi.local``, which win over the stack's limits.
        settings: Of this machine. The demo is on if it is on here; deployed it is off by default.
        config: The configuration file of the function, if it is not ``tokenwire.toml``.
    """
    found = limits(Path.cwd(), os.environ.get("ENV", "default"))
    bounds = ["--timeout", f"{found.timeout:g}", "--memory", str(found.memory_mb)]
    # Before the event loop has its own handlers: an exception, so that a server is stopped too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with chosen(os.environ, settings.store) as store:
        notice(f"limits of the stack: {found.timeout:g} s, {found.memory_mb} MB")
        notice(f"streams are kept {store.description}")
        variables = {**os.environ, "TOKENWIRE_DEMO": str(settings.demo).lower(), **store.variables}
        variables |= {"TOKENWIRE_CONFIG": config} if config else {}
        function_url([HANDLER, *bounds, *arguments], variables)


def main() -> None:
    """Run with this process's arguments. A mistake in a setting is one line."""
    try:
        run(sys.argv[1:], Configuration.of_process().settings)
    except ProxyError as error:
        sys.exit(f"tokenwire: {error}")


if __name__ == "__main__":
    main()
