"""Convert the structs to JSON Schema, for the reference page."""

from __future__ import annotations

from typing import Any

import msgspec

from ..protocol import JSON
from .checking import OneOf

_DEEPEST = 4
"""Maximum nesting of unions, which may be recursive; deeper values are any object."""


def json_schema(kind: type[msgspec.Struct]) -> JSON:
    """Return the schema of the bodies that ``check`` accepts, except for unknown variants.

    Args:
        kind: The struct of a request.

    Returns:
        A schema without references to other documents.
    """
    return _of(kind, 0)


def _of(kind: Any, depth: int) -> JSON:
    def custom(inner: type) -> JSON:
        if issubclass(inner, OneOf) and depth < _DEEPEST:
            return _union(inner, depth + 1)
        return {"type": "object"}

    (found,), components = msgspec.json.schema_components(
        [kind], schema_hook=custom, ref_template="{name}"
    )
    inlined: JSON = _inline(found, components)
    return inlined


def _union(union: type[OneOf], depth: int) -> JSON:
    variants = [_variant(union, name, kind, depth) for name, kind in union.kinds.items()]
    return {"anyOf": [*variants, {"type": "string"}] if union.or_text else variants}


def _variant(union: type[OneOf], name: str, kind: Any, depth: int) -> JSON:
    schema = _of(kind, depth)
    properties = {union.tag: union.tag_schema(name), **schema.get("properties", {})}
    # Only the default variant may omit its tag; all others require it.
    needs_tag = [] if union.default == name else [union.tag]
    required = [*needs_tag, *schema.get("required", ())]
    return {**schema, "properties": properties, "required": required}


def _inline(schema: Any, components: dict[str, Any]) -> Any:
    """Return the schema with references replaced by their targets."""
    if isinstance(schema, list):
        return [_inline(one, components) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inline(components[schema["$ref"]], components)
    kept = {name: one for name, one in schema.items() if name != "title"}
    return {name: _inline(one, components) for name, one in kept.items()}
