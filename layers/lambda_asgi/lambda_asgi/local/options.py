"""The command line: options, and the function that they describe."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .cors import Cors
from .function import Function

if TYPE_CHECKING:
    from .template import FunctionTemplate

_TIMEOUT, _MEMORY = 30.0, 1024


class UsageError(ValueError):
    """The options do not describe a function; the message has the cause."""


@dataclass(frozen=True, slots=True)
class Configured:
    """A function and its URL's settings.

    Args:
        streams: Whether the URL streams.
        signed: Whether it would ask for IAM signatures, which this one does not check.
        cors: Its CORS settings.
    """

    function: Function
    streams: bool = True
    signed: bool = False
    cors: Cors | None = None


def parser() -> argparse.ArgumentParser:
    """The command line's grammar."""
    found = argparse.ArgumentParser(
        prog="python -m lambda_asgi.local",
        description="Run a Lambda function on this machine, behind a function URL.",
    )
    add = found.add_argument
    add("handler", nargs="?", help="module:attribute of a lambda_asgi.Handler")
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=9000, help="0 takes a free one")
    add("--command", help="the runtime to start in place of ours, such as 'node runtime.js'")
    add("--template", type=Path, metavar="FILE", help="read the function from a SAM template")
    add("--function", metavar="NAME", help="which of the template's functions")
    add(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a value for a template parameter (may be repeated)",
    )
    add("--concurrency", type=_positive, default=1, metavar="N", help="requests per environment")
    add("--environments", type=_positive, default=10, metavar="N", help="environments at most")
    add("--timeout", type=float, metavar="S", help="seconds for an invocation (30)")
    add("--memory", type=int, metavar="MB", help="memory of an environment (1024)")
    add("--bandwidth", action="store_true", help="slow responses down to 2 MB/s after 6 MB")
    add("--env-file", type=Path, metavar="FILE", help="NAME=value lines for the function")
    add("--reload", action="store_true", help="use new code when files change")
    add(
        "--tell-disconnect",
        action="store_true",
        help="fail the function's writes once the client has left; Lambda does not",
    )
    return found


def configure(options: argparse.Namespace, environ: Mapping[str, str]) -> Configured:
    """The function that the options describe.

    Its variables are the template's, over them those of this process, and over both the file's.

    Args:
        options: What ``parser`` returned.
        environ: The variables of this process.

    Raises:
        UsageError: Something is missing.
        TemplateError: The template cannot be read.
        OSError: A file cannot be read.
    """
    extra = read_env_file(options.env_file) if options.env_file else {}
    variables = {**environ, **extra}
    command = tuple(shlex.split(options.command or ""))
    if options.template:
        return _from_template(options, variables, command)
    if not options.handler and not command:
        raise UsageError("give a handler (module:attribute), --command or --template")
    return Configured(_function(options, options.handler or "", variables, command))


def _from_template(
    options: argparse.Namespace, variables: Mapping[str, str], command: tuple[str, ...]
) -> Configured:
    # PyYAML is needed for this option alone.
    try:
        from . import template
    except ModuleNotFoundError:
        raise UsageError("--template needs PyYAML: pip install pyyaml") from None
    parameters = dict(_parameter(text) for text in options.parameter)
    found = template.read(options.template, options.function, parameters)
    if not command and not found.runtime.startswith("python"):
        raise UsageError(f"{found.name} has the runtime {found.runtime!r}: give its --command")
    handler = options.handler or found.handler
    function = _function(options, handler, {**found.environ, **variables}, command, found)
    return Configured(function, found.streams, found.signed, found.cors)


def _function(
    options: argparse.Namespace,
    handler: str,
    variables: Mapping[str, str],
    command: tuple[str, ...],
    found: FunctionTemplate | None = None,
) -> Function:
    timeout = found.timeout if found else _TIMEOUT
    memory_mb = found.memory_mb if found else _MEMORY
    return Function(
        handler,
        variables,
        command=command,
        directory=found.directory if found else None,
        timeout=timeout if options.timeout is None else options.timeout,
        memory_mb=memory_mb if options.memory is None else options.memory,
        concurrency=options.concurrency,
        limits_bandwidth=options.bandwidth,
        name=found.name if found else "local",
    )


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a file of ``NAME=value`` lines; ``#`` begins a comment line."""
    found = {}
    for line in path.read_text().splitlines():
        name, sign, value = line.strip().partition("=")
        if sign and not name.startswith("#"):
            found[name.removeprefix("export ").strip()] = value.strip().strip("\"'")
    return found


def _parameter(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise UsageError(f"--parameter takes NAME=VALUE, not {text!r}")
    return name, value


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number
