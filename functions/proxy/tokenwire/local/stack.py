"""The limits of the deployed function: from the project's template, or the template's defaults."""

from __future__ import annotations

import shlex
import tomllib
from dataclasses import dataclass
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
        found = read(template, FUNCTION, parameters(folder / "samconfig.toml", env))
    except TemplateError:
        # The template of another project, in which this one is installed.
        return Limits()
    return Limits(found.timeout, found.memory_mb)


def parameters(samconfig: Path, env: str) -> dict[str, str]:
    """Return the parameters that a section of ``samconfig.toml`` sets; none without the file."""
    if not samconfig.is_file():
        return {}
    section = tomllib.loads(samconfig.read_text()).get(env, {})
    given = section.get("global", {}).get("parameters", {}).get("parameter_overrides", "")
    pairs = given if isinstance(given, list) else shlex.split(given)
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)
