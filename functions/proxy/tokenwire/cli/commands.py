"""The command line's grammar: the verbs, and what happens without one."""

from __future__ import annotations

import sys

import click

from .. import __version__
from ..errors import ProxyError
from .check import check
from .completion import completion
from .doctor import doctor
from .function_url import function_url
from .serve import serve

_OF_THE_COMMAND = {"--help", "-h", "--version"}


class _Verbs(click.Group):
    """Verbs, of which ``serve`` may be left out."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Insert ``serve`` where the arguments begin with one of its options, or are none."""
        lacks_verb = not args or (args[0].startswith("-") and args[0] not in _OF_THE_COMMAND)
        if lacks_verb and not ctx.resilient_parsing:
            args = ["serve", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Settings are variables TOKENWIRE_…, lines of .env, or keys of tokenwire.toml.",
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def tokenwire() -> None:
    """Stream any LLM's tokens to any browser. Without a verb: serve."""


for _verb in (serve, check, doctor, function_url, completion):
    tokenwire.add_command(_verb)


def run() -> None:
    """Run the verb that the command line names. A mistake in a setting is one line."""
    try:
        tokenwire(prog_name="tokenwire")
    except ProxyError as error:
        sys.exit(f"tokenwire: {error}")
