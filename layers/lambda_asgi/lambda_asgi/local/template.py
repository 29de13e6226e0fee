"""A function's settings from a SAM template. Needs PyYAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from .cors import Cors
from .function import REGION
from .intrinsics import Resolver, TemplateError

MAX_BYTES = 1024 * 1024
"""CloudFormation's limit on a template."""

_TYPE = "AWS::Serverless::Function"
_TIMEOUT, _MEMORY = 3.0, 128
"""Lambda's own defaults."""


@dataclass(frozen=True, slots=True)
class FunctionTemplate:
    """What a template sets for one function.

    Args:
        name: Its logical id.
        runtime: Such as ``python3.13``; empty for an image.
        handler: Such as ``module.attribute``.
        directory: Where its code is.
        environ: Its variables.
        timeout: Seconds for an invocation.
        memory_mb: Memory in MB.
        streams: Whether its URL has ``InvokeMode: RESPONSE_STREAM``.
        signed: Whether its URL has ``AuthType: AWS_IAM``.
        cors: Its URL's CORS settings; None if it has none.
    """

    name: str
    runtime: str
    handler: str
    directory: Path
    environ: Mapping[str, str]
    timeout: float
    memory_mb: int
    streams: bool
    signed: bool
    cors: Cors | None


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, such as ``!Ref``."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        value = value.split(".", 1) if suffix == "GetAtt" else value
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {name: value}


_Loader.add_multi_constructor("!", _short_form)


def read(
    path: Path, name: str | None, parameters: Mapping[str, str], region: str = REGION
) -> FunctionTemplate:
    """Read one function's settings.

    Args:
        path: The template, YAML or JSON.
        name: The function's logical id; not needed if there is only one.
        parameters: Values for the template's parameters.
        region: The value of ``AWS::Region``.

    Raises:
        TemplateError: The template is malformed, or has no such function.
        OSError: The file cannot be read.
    """
    template = _parsed(path)
    name, resource = _function(template, name)
    resolver = Resolver(template, parameters, region)
    defaults = (template.get("Globals") or {}).get("Function") or {}
    properties = _merged(resolver.resolve(defaults), resolver.resolve(resource["Properties"]))
    return _settings(name, properties, path.parent)


def _parsed(path: Path) -> dict[str, Any]:
    text = path.read_bytes()
    if len(text) > MAX_BYTES:
        raise TemplateError(f"{path} is larger than CloudFormation's 1 MB")
    try:
        template = yaml.load(text, _Loader)  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError) as error:
        raise TemplateError(f"{path} is not YAML: {error}") from None
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise TemplateError(f"{path} has no Resources")
    return template


def _function(template: Mapping[str, Any], name: str | None) -> tuple[str, dict[str, Any]]:
    found = {
        logical_id: resource
        for logical_id, resource in template["Resources"].items()
        if isinstance(resource, dict) and resource.get("Type") == _TYPE
    }
    names = ", ".join(found) or "none"
    if name is None and len(found) != 1:
        raise TemplateError(f"choose a function with --function; the template has: {names}")
    chosen = name or next(iter(found))
    if chosen not in found:
        raise TemplateError(f"the template has no function {chosen}; it has: {names}")
    if not isinstance(found[chosen].get("Properties"), dict):
        raise TemplateError(f"the function {chosen} has no Properties")
    return chosen, found[chosen]


def _merged(defaults: Any, own: Any) -> Any:
    """Globals under a function's own properties: objects merge, everything else is replaced."""
    if isinstance(defaults, dict) and isinstance(own, dict):
        common = {key: _merged(defaults[key], own[key]) for key in defaults.keys() & own.keys()}
        return {**defaults, **own, **common}
    return own


def _settings(name: str, properties: Mapping[str, Any], folder: Path) -> FunctionTemplate:
    url = properties.get("FunctionUrlConfig") or {}
    code = properties.get("CodeUri")
    variables = (properties.get("Environment") or {}).get("Variables") or {}
    try:
        timeout = float(properties.get("Timeout", _TIMEOUT))
        memory_mb = int(properties.get("MemorySize", _MEMORY))
        cors = _cors(url.get("Cors"))
    except (TypeError, ValueError, AttributeError):
        message = f"the function {name} has a malformed Timeout, MemorySize or Cors"
        raise TemplateError(message) from None
    return FunctionTemplate(
        name=name,
        runtime=str(properties.get("Runtime", "")),
        handler=str(properties.get("Handler", "")),
        directory=(folder / code if isinstance(code, str) else folder).resolve(),
        environ={key: _text(value) for key, value in variables.items()},
        timeout=timeout,
        memory_mb=memory_mb,
        streams=url.get("InvokeMode") == "RESPONSE_STREAM",
        signed=url.get("AuthType") == "AWS_IAM",
        cors=cors,
    )


def _text(value: Any) -> str:
    """A variable's value as CloudFormation passes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _cors(settings: Mapping[str, Any] | None) -> Cors | None:
    if not settings:
        return None

    def listed(name: str) -> tuple[str, ...]:
        return tuple(str(value) for value in settings.get(name) or ())

    return Cors(
        origins=listed("AllowOrigins"),
        methods=listed("AllowMethods"),
        headers=listed("AllowHeaders"),
        exposed=listed("ExposeHeaders"),
        credentials=str(settings.get("AllowCredentials", False)).lower() == "true",
        max_age=int(settings.get("MaxAge", 0)),
    )
