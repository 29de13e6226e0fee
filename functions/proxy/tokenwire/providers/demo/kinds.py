"""The type of a value, as JSON Schema names it."""

from __future__ import annotations

from typing import Any

from ...dialects.protocol import JSON
from .merging import NOTES, Impossible, Spend, as_list

_CLASSES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "null": type(None),
}
# Keywords that tell the type where ``type`` does not.
_TELLING = {
    "properties": "object",
    "required": "object",
    "items": "array",
    "prefixItems": "array",
    "minItems": "array",
    "minimum": "number",
    "maximum": "number",
    "multipleOf": "number",
}


def kind_of(schema: JSON) -> str:
    """The type that a value of the schema has: the first but null, or what its keywords tell."""
    kind = schema.get("type")
    if isinstance(kind, list):
        return next((str(one) for one in kind if one != "null"), "null")
    if isinstance(kind, str):
        return kind
    return next((kind for key, kind in _TELLING.items() if key in schema), "string")


def given(schema: JSON, spend: Spend) -> list[Any]:
    """The values that ``const`` or ``enum`` lists, and ``type`` allows.

    Raises:
        Impossible: There are other limits beside them, which are not looked at.
    """
    for key in schema:
        if key not in NOTES and key not in ("const", "enum", "type"):
            raise Impossible(f"enum beside {key} is not supported")
    values = [schema["const"]] if "const" in schema else as_list(schema["enum"])
    spend(len(values))
    if "const" in schema and "enum" in schema and schema["const"] not in as_list(schema["enum"]):
        raise Impossible("const is not in enum")
    kinds = as_list(schema.get("type", list(_CLASSES)))
    return [value for value in values if any(_is(value, kind) for kind in kinds)]


def _is(value: Any, kind: Any) -> bool:
    found = _CLASSES.get(str(kind), ())
    return isinstance(value, found) and (kind == "boolean" or not isinstance(value, bool))
