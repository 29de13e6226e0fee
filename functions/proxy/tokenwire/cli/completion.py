"""``tokenwire completion``: the script that completes the command in a shell."""

from __future__ import annotations

import click
from click.shell_completion import BashComplete, FishComplete, ZshComplete

_SHELLS = {"bash": BashComplete, "fish": FishComplete, "zsh": ZshComplete}


@click.command()
@click.argument("shell", type=click.Choice(list(_SHELLS)))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion script of a shell: eval "$(tokenwire completion bash)"."""
    command = context.find_root().command
    click.echo(_SHELLS[shell](command, {}, "tokenwire", "_TOKENWIRE_COMPLETE").source())
