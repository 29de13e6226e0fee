"""Options that several verbs have, and the configuration that they give."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from ..configuration import Configuration

_Function = TypeVar("_Function", bound=Callable[..., Any])

host = click.option("--host", metavar="ADDRESS", help="Where to listen (127.0.0.1).")
port = click.option("--port", metavar="NUMBER", help="The port; 0 takes a free one (8000).")


def config(function: _Function) -> _Function:
    """Add ``--config`` to a verb."""
    return click.option(
        "--config", metavar="FILE", help="The file to read in place of ./tokenwire.toml."
    )(function)


def configuration(**given: str | None) -> Configuration:
    """Return what the environment, the files and these options configure; options win.

    Args:
        given: Options by the name of their setting; None if the command line has not got it.

    Raises:
        ProxyError: A setting is wrong (``bad_setting``).
    """
    return Configuration.of_process({k: v for k, v in given.items() if v is not None})
