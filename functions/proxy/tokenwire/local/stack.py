"""The limits of the deployed function: from the project's template, or the template's defaults."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lambda_asgi.local.intrinsics import TemplateError

FUNCTION = "ProxyFunction"


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds an invocation; by default what ``template.yaml`` has as defaults.

    Args:
        timeout: Seconds.
        memory_mb: Megabytes.
    """

    timeout: float = 300.0
    memory_mb: int = 512


def limits(folder: Path, env: str) -> Limits:
    """Return the limits that ``make deploy ENV=env`` would give the function.

    Args:
        folder: Where ``template.yaml`` and ``samconfig.toml`` are, if this is the project.
        env: The section of ``samconfig.toml``.
    """
    template = folder / "template.yaml"
    if not template.is_file():
        return Limits()
    # PyYAML is needed for this alone.
    from lambda_asgi.local.template import read

    try:
        chosen = section(folder / "samconfig.toml", env) or Section()
        found = read(template, FUNCTION, chosen.parameters)
    except TemplateError:
        # The template of another project, in which this one is installed.
        return Limits()
    return Limits(found.timeout, found.memory_mb)


@dataclass(frozen=True, slots=True)
class Section:
    """What one section of ``samconfig.toml`` sets for a stack.

    Args:
        stack: The stack's name; empty if it has none.
        parameters: The template's parameters.
        confirm: Whether ``sam deploy`` asks before it changes anything.
    """

    stack: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    confirm: bool = False


def section(samconfig: Path, env: str) -> Section | None:
    """Return a section of ``samconfig.toml``; None if there is no such section, or no file."""
    found = tomllib.loads(samconfig.read_text()).get(env) if samconfig.is_file() else None
    if not found:
        return None
    common = found.get("global", {}).get("parameters", {})
    given = common.get("parameter_overrides", "")
    pairs = given if isinstance(given, list) else shlex.split(given)
    confirm = found.get("deploy", {}).get("parameters", {}).get("confirm_changeset", False)
    parameters = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    return Section(common.get("stack_name", ""), parameters, confirm)
