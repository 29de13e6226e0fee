"""Numbers that satisfy a JSON Schema."""

from __future__ import annotations

import math
from typing import Any

from ...dialects.protocol import JSON
from .merging import Impossible

# Beyond it a float no longer holds every integer.
_LARGEST = 2**53
_STEPS_BETWEEN_BOUNDS = 128


def a_number(schema: JSON, index: int, *, is_integer: bool) -> float:
    """A number for this schema; a different one for each index.

    Args:
        schema: A schema whose type is ``integer`` or ``number``.
        index: Counts the values wanted of the schema, from 0.
        is_integer: Whether the type is ``integer``.

    Raises:
        Impossible: No number, or none that is found at once, is valid.
    """
    low = max(limit(schema, "minimum", -math.inf), limit(schema, "exclusiveMinimum", -math.inf))
    high = min(limit(schema, "maximum", math.inf), limit(schema, "exclusiveMaximum", math.inf))
    step = limit(schema, "multipleOf", 1 if is_integer else 0)
    if step < 0 or (is_integer and step != int(step)):
        raise Impossible("multipleOf is not supported")
    if step:
        found = step * _multiple(low, high, step, index, is_open=low not in _closed(schema))
    else:
        found = _between(low, high, index)
    if not low <= found <= high or found in _excluded(schema):
        raise Impossible("its bounds allow no such number")
    return int(found) if is_integer else found


def limit(schema: JSON, key: str, default: float) -> float:
    """The limit that a schema sets, or the default.

    Raises:
        Impossible: It is not a number, or is beyond 2**53.
    """
    value: Any = schema.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _LARGEST:
        raise Impossible(f"{key} is not a number of a common size")
    return value


def size(schema: JSON, key: str, default: float) -> float:
    """The limit that a schema sets to a length or a count, or the default.

    Raises:
        Impossible: It is no size.
    """
    found = limit(schema, key, default)
    if found < 0:
        raise Impossible(f"{key} is less than nothing")
    return found


def _multiple(low: float, high: float, step: float, index: int, *, is_open: bool) -> int:
    """How many steps from zero the number is: up from the lower bound, or down from the upper."""
    if not math.isinf(low):
        first = math.ceil(low / step)
        return first + index + (1 if is_open and first * step == low else 0)
    if math.isinf(high):
        return 1 + index
    return min(1, math.ceil(high / step) - 1) - index


def _between(low: float, high: float, index: int) -> float:
    if math.isinf(low):
        return 1.5 + index if math.isinf(high) else high - 1 - index
    if math.isinf(high):
        return low + 1 + index
    return low + (high - low) * (index + 1) / _STEPS_BETWEEN_BOUNDS


def _closed(schema: JSON) -> tuple[Any, ...]:
    return () if schema.get("minimum") in _excluded(schema) else (schema.get("minimum"),)


def _excluded(schema: JSON) -> tuple[Any, ...]:
    return (schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum"))
