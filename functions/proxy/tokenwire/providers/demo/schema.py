"""A JSON Schema, made ready for one value: references resolved, ``allOf`` merged."""

from __future__ import annotations

import re
from typing import Any

from ...dialects.protocol import JSON
from .merging import Impossible, Spend, as_list, merge

_MAX_HOPS = 32
_INDEX = re.compile(r"\d{1,9}", re.ASCII)
# They restrict what is valid in ways that are not supported. Unknown ones restrict nothing.
# fmt: off
_UNSUPPORTED = frozenset([
    "not", "if", "then", "else", "pattern", "patternProperties", "propertyNames", "contains",
    "dependentSchemas", "dependentRequired", "dependencies", "unevaluatedItems", "$dynamicRef",
    "$recursiveRef",
])
# fmt: on


def simplify(schema: JSON, root: JSON, spend: Spend) -> JSON:
    """The schema without ``$ref`` and ``allOf``, as long as that takes few steps.

    Raises:
        Impossible: A reference leads nowhere or in a circle, parts contradict each other, or
            there is a keyword that is not supported.
    """
    for _ in range(_MAX_HOPS):
        if "$ref" in schema:
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            spend(len(str(schema["$ref"])))
            schema = merge(as_schema(resolve(schema["$ref"], root)), rest, spend)
        elif "allOf" in schema:
            schema = _without_all_of(schema, spend)
        else:
            return _checked(schema)
    raise Impossible("its references go in a circle")


def resolve(ref: Any, root: JSON) -> Any:
    """The target of a reference inside the document, such as ``#/$defs/Name``.

    Raises:
        Impossible: There is none.
    """
    if not isinstance(ref, str) or not (ref == "#" or ref.startswith("#/")):
        raise Impossible("a $ref leads outside the schema")
    found: Any = root
    for step in ref[2:].split("/") if ref != "#" else ():
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and _INDEX.fullmatch(name) and int(name) < len(found):
            found = found[int(name)]
        elif isinstance(found, dict) and name in found:
            found = found[name]
        else:
            raise Impossible("a $ref leads nowhere")
    return found


def as_schema(value: Any) -> JSON:
    """The value as a schema object; ``true`` allows anything.

    Raises:
        Impossible: It is ``false``, or no schema.
    """
    if value is True:
        return {}
    if not isinstance(value, dict):
        raise Impossible("a part of it allows nothing")
    return value


def _without_all_of(schema: JSON, spend: Spend) -> JSON:
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in as_list(schema["allOf"]):
        merged = merge(as_schema(part), merged, spend)
    return merged


def _checked(schema: JSON) -> JSON:
    for key, value in schema.items():
        if key in _UNSUPPORTED or (key == "unevaluatedProperties" and value is not False):
            raise Impossible(f"{key} is not supported")
    return schema
