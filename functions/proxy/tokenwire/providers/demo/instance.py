"""Make a value that is valid for a JSON Schema, as a model with structured output does.

Bounded in depth and in size for every schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ...dialects.protocol import JSON
from .kinds import given, kind_of
from .merging import Impossible, merge
from .numbers import a_number, size
from .options import refusal
from .schema import as_schema, simplify
from .texts import text

MAX_DEPTH = 24
MAX_SIZE = 100_000
"""Steps and characters, together."""
# Deeper than this, only what is required is there.
_GENEROUS_DEPTH = 3


class _TooLarge(Exception):
    """No branch of the schema will do: the bound is for all of them."""


def instance(schema: JSON, param: str) -> Any:
    """A value that is valid for the schema; always the same for the same schema.

    Of ``oneOf``, the first branch that can be satisfied counts; the others are not looked at.

    Args:
        schema: A JSON Schema, from a caller.
        param: Where it stands in the request, for the error.

    Raises:
        ClientError: There is none, the schema uses what is not supported, or the value would be
            too large (``unsupported_parameter``).
    """
    try:
        return _Maker(schema).make(schema, "")
    except (_TooLarge, RecursionError):
        why = "asks for a value that is too large for the demo model"
    except Impossible as error:
        why = f"is a schema that the demo model cannot satisfy: {error}"
    raise refusal(param, why)


class _Maker:
    """Makes one value. It knows the references that it is inside of, and what it has spent."""

    def __init__(self, root: JSON) -> None:
        self._root = root
        self._left = MAX_SIZE
        self._inside: list[str] = []

    def make(self, schema: Any, name: str, index: int = 0) -> Any:
        if len(self._inside) >= MAX_DEPTH:
            raise Impossible("it is too deep")
        found = as_schema(schema)
        self._inside.append(str(found.get("$ref")))
        try:
            self._spend(1 + len(found))
            return self._value(simplify(found, self._root, self._spend), name, index)
        finally:
            self._inside.pop()

    def _value(self, schema: JSON, name: str, index: int) -> Any:
        if "const" in schema or "enum" in schema:
            return self._given(schema, index)
        for key in ("anyOf", "oneOf"):
            if key in schema:
                rest = {k: v for k, v in schema.items() if k != key}
                return self._branch(schema[key], rest, name, index)
        return self._typed(kind_of(schema), schema, name, index)

    def _typed(self, kind: str, schema: JSON, name: str, index: int) -> Any:
        match kind:
            case "object":
                return self._object(schema, index)
            case "array":
                return self._array(schema, name)
            case "string":
                found = text(schema, name, index)
                self._spend(len(found))
                return found
            case "integer" | "number":
                return a_number(schema, index, is_integer=kind == "integer")
            case "boolean":
                return not index
            case "null":
                return None
            case _:
                raise Impossible("type is unknown")

    def _given(self, schema: JSON, index: int) -> Any:
        values = given(schema, self._spend)
        if index >= len(values):
            raise Impossible("there are too few values in enum")
        self._spend(len(json.dumps(values[index])))
        return values[index]

    def _branch(self, branches: Any, rest: JSON, name: str, index: int) -> Any:
        """The first branch that works; those that lead back to where we are come last."""
        if not isinstance(branches, list):
            raise Impossible("anyOf is not a list")
        reason = Impossible("anyOf allows nothing")
        for branch in sorted(branches, key=self._leads_back):
            try:
                self._spend(1)
                return self.make(merge(rest, as_schema(branch), self._spend), name, index)
            except Impossible as error:
                reason = error
        raise reason

    def _object(self, schema: JSON, index: int) -> JSON:
        properties = schema.get("properties") or {}
        required = schema.get("required") or []
        if not isinstance(properties, dict) or not isinstance(required, list):
            raise Impossible("properties or required is malformed")
        self._spend(len(properties) + len(required))
        wanted = frozenset(map(str, required))
        other = schema.get("additionalProperties", True)
        made = {
            name: self._property(name, properties.get(name, other), index)
            for name in (*(n for n in properties if n in wanted), *sorted(wanted - set(properties)))
        }
        most = size(schema, "maxProperties", MAX_SIZE)
        if max(len(made), size(schema, "minProperties", 0)) > most:
            raise Impossible("maxProperties is less than what is required")
        self._add_optional(made, properties, most, index)
        self._add_unnamed(made, schema, other)
        return {n: made[n] for n in (*(n for n in properties if n in made), *made)}

    def _property(self, name: str, schema: Any, index: int = 0) -> Any:
        self._spend(len(name))
        try:
            return self.make(schema, name, index)
        except Impossible:
            # Other properties may make the object a different one.
            if not index:
                raise
            return self.make(schema, name)

    def _add_optional(self, made: JSON, properties: JSON, most: float, index: int) -> None:
        if len(self._inside) > _GENEROUS_DEPTH:
            return
        for name, schema in properties.items():
            if name in made or self._leads_back(schema) or len(made) >= most:
                continue
            try:
                made[name] = self._property(name, schema, index)
            except Impossible:
                continue

    def _add_unnamed(self, made: JSON, schema: JSON, other: Any) -> None:
        if len(made) >= size(schema, "minProperties", 0):
            return
        if schema.get("unevaluatedProperties") is False:
            raise Impossible("minProperties is more than there are")
        for name in _names(made):
            made[name] = self._property(name, other)
            if len(made) >= size(schema, "minProperties", 0):
                return

    def _array(self, schema: JSON, name: str) -> list[Any]:
        first = schema.get("prefixItems") or []
        rest = schema.get("items", True)
        if not isinstance(first, list):
            raise Impossible("prefixItems is not a list")
        low, high = size(schema, "minItems", 0), size(schema, "maxItems", MAX_SIZE)
        generous = len(self._inside) <= _GENEROUS_DEPTH and not self._leads_back(rest)
        wanted = max(low, min(len(first) or int(generous and rest is not False), high))
        if wanted > high:
            raise Impossible("minItems is more than maxItems")
        is_unique = schema.get("uniqueItems") is True
        made: list[Any] = []
        while len(made) < wanted:
            at = len(made)
            item = first[at] if at < len(first) else rest
            made.append(self.make(item, name, at if is_unique else 0))
        if is_unique and len({json.dumps(item, sort_keys=True) for item in made}) < len(made):
            raise Impossible("there are too few different items")
        return made

    def _leads_back(self, schema: Any) -> bool:
        ref = schema.get("$ref") if isinstance(schema, dict) else None
        return isinstance(ref, str) and (ref == "#" or ref in self._inside)

    def _spend(self, amount: int) -> None:
        self._left -= amount
        if self._left < 0:
            raise _TooLarge


def _names(taken: JSON) -> Iterator[str]:
    return (name for n in range(MAX_SIZE) if (name := f"more{n}") not in taken)
