"""Two JSON Schemas as one, whose values are valid for both."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ...dialects.protocol import JSON

Spend: TypeAlias = Callable[[int], None]
"""Told the steps that are about to be taken; raises when there have been too many."""


class Impossible(Exception):
    """No value can be made for a schema; another branch may do."""


# They say nothing about what is valid.
# fmt: off
NOTES = frozenset([
    "$schema", "$id", "$anchor", "$defs", "$comment", "$vocabulary", "definitions", "title",
    "description", "default", "example", "examples", "deprecated", "readOnly", "writeOnly",
    "contentEncoding", "contentMediaType", "nullable", "discriminator", "strict", "xml",
    "externalDocs",
])
_LOWER = frozenset(["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"])
_UPPER = frozenset(["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"])
# fmt: on


def merge(one: JSON, two: JSON, spend: Spend) -> JSON:
    """One schema whose values are valid for both.

    Raises:
        Impossible: They contradict each other, or cannot be merged.
    """
    spend(len(one) + len(two))
    _check_closed(one, two, spend)
    _check_closed(two, one, spend)
    merged = dict(one)
    for key, value in two.items():
        merged[key] = _both(key, merged[key], value, spend) if key in merged else value
    return merged


def _check_closed(one: JSON, two: JSON, spend: Spend) -> None:
    """A part that closes its object must know the other part's properties."""
    if one.get("additionalProperties", True) is True:
        return
    known, others = _mapping(one.get("properties")), _mapping(two.get("properties"))
    spend(len(others))
    if any(name not in known for name in others):
        raise Impossible("additionalProperties excludes a part of it")


def _both(key: str, one: Any, two: Any, spend: Spend) -> Any:
    if key in NOTES or one is two:
        return one
    if key in _LOWER:
        return max(_number(one), _number(two))
    if key in _UPPER:
        return min(_number(one), _number(two))
    return _both_parts(key, one, two, spend)


def _both_parts(key: str, one: Any, two: Any, spend: Spend) -> Any:
    match key:
        case "properties":
            return _properties(_mapping(one), _mapping(two), spend)
        case "required" | "allOf":
            spend(len(as_list(one)) + len(as_list(two)))
            return [*as_list(one), *as_list(two)]
        case "items" | "additionalProperties":
            return {"allOf": [one, two]}
        case "type" | "enum":
            return _shared(key, as_list(one), as_list(two), spend)
        case _ if one == two:
            return one
        case _:
            raise Impossible(f"{key} is given twice")


def _properties(one: JSON, two: JSON, spend: Spend) -> JSON:
    spend(len(one) + len(two))
    shared = {name: {"allOf": [one[name], two[name]]} for name in one if name in two}
    return {**one, **two, **shared}


def _shared(key: str, one: list[Any], two: list[Any], spend: Spend) -> list[Any]:
    spend(len(one) * len(two))
    both = [value for value in one if value in two]
    if not both:
        raise Impossible(f"{key} allows nothing")
    return both


def _mapping(value: Any) -> JSON:
    if value is None or isinstance(value, dict):
        return value or {}
    raise Impossible("properties is not an object")


def as_list(value: Any) -> list[Any]:
    """The value, or a list of it alone."""
    return value if isinstance(value, list) else [value]


def _number(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise Impossible("a limit is not a number")
