"""The command line of ``make deploy ARGS=…``."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from tokenwire.local.stack import Section, section

from .providers import NAMES


@dataclass(frozen=True, slots=True)
class Target:
    """Where to deploy.

    Args:
        env: The section of ``samconfig.toml``; one that is not there has the defaults.
        stack: The stack's name.
        parameters: The template's parameters that the section sets.
        confirm: Whether the changes are shown and must be confirmed.
    """

    env: str
    stack: str
    parameters: dict[str, str]
    confirm: bool

    @property
    def secrets_path(self) -> str:
        """Where the stack's secrets are in SSM."""
        return self.parameters["SecretsPath"]


def target(folder: Path, env: str) -> Target:
    """Return what ``samconfig.toml`` sets for this environment, or the defaults.

    Args:
        folder: Where the file is.
        env: ``default``, or any other name.
    """
    file = folder / "samconfig.toml"
    own, default = section(file, env), section(file, "default") or Section()
    name = "tokenwire" if env == "default" else f"tokenwire-{env}"
    stack = (own.stack if own else "") or name
    # Without a section of its own, an environment is built as the default one is.
    parameters = {"SecretsPath": f"/{stack}", **(own or default).parameters}
    if own is None:
        parameters["SecretsPath"] = f"/{stack}"
    return Target(env, stack, parameters, confirm=own is not None and own.confirm)


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    found = argparse.ArgumentParser(prog="make deploy ARGS=…", description=__doc__)
    add = found.add_argument
    add("--env", default="default", help="which stack: default, prod, or any name")
    add("--yes", action="store_true", help="ask nothing: for CI")
    add(
        "--provider",
        action="append",
        default=[],
        choices=NAMES,
        help="a provider to turn on (may be repeated); its key is in SSM, or on stdin",
    )
    add("--keys-stdin", action="store_true", help="read lines PROVIDER=KEY from stdin")
    add("--base-url", default="", help="of an OpenAI-compatible API")
    add("--bedrock-models", default="", help="model ids or ARNs, with commas between")
    add("--bucket", default="", help="a bucket for the artifacts, in place of SAM's own")
    add("--model", default="", help="the model of the first stream")
    add(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the template (may be repeated)",
    )
    return found
