"""Merge JSON values that arrive in pieces, in time linear in their size.

Strings and lists grow in place while pieces arrive; ``settled`` converts them to plain values.
Concatenating strings for every piece would copy the whole string each time.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

# These values are never concatenated: they arrive once, or are repeated in every piece.
_NAMES = frozenset({"id", "index", "name", "role", "type", "format"})


class Text:
    """A string that is still growing: pieces that are joined once."""

    __slots__ = ("pieces",)

    def __init__(self, *pieces: str) -> None:
        self.pieces = list(pieces)

    def __str__(self) -> str:
        return "".join(self.pieces)


class Items(list[Any]):
    """A list that is still growing, with the position of each item that has an ``index``."""

    __slots__ = ("places",)

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[Hashable, int] = {}


def merge(held: Any, new: Any, key: str) -> Any:
    """Merge a piece into an accumulated value; objects, lists and ``Text`` change in place.

    Args:
        held: The return value of earlier calls for this key, or None.
        new: The next piece, plain JSON.
        key: The name of the value in its object; values under some names are not concatenated.
    """
    if held is None or new is None:
        return held if new is None else _growing(new)
    if isinstance(new, str) and isinstance(held, str | Text):
        return (held or new) if key in _NAMES else _longer(held, new)
    if isinstance(held, dict) and isinstance(new, dict):
        held.update((k, merge(held.get(k), v, k)) for k, v in new.items())
        return held
    if isinstance(held, Items) or isinstance(new, list):
        return _extend(_items(held), _parts(new))
    return new


def settled(value: Any) -> Any:
    """Return the value as plain JSON, with every ``Text`` joined."""
    if isinstance(value, Text):
        return str(value)
    if isinstance(value, dict):
        return {key: settled(inner) for key, inner in value.items()}
    return [settled(inner) for inner in value] if isinstance(value, list) else value


def _longer(held: str | Text, new: str) -> Text:
    if isinstance(held, str):
        return Text(held, new)
    held.pieces.append(new)
    return held


def _growing(value: Any) -> Any:
    # A first list may itself hold several pieces of one item.
    if isinstance(value, dict):
        return {key: _growing(inner) for key, inner in value.items()}
    return _extend(Items(), value) if isinstance(value, list) else value


def _items(held: Any) -> Items:
    return held if isinstance(held, Items) else _extend(Items(), _parts(settled(held)))


def _parts(value: Any) -> list[Any]:
    """Return a list of parts. Mistral sends reasoning as parts and then text as a string."""
    if isinstance(value, str):
        return [{"type": "text", "text": value}] if value else []
    return value if isinstance(value, list) else [value]


def _extend(held: Items, new: list[Any]) -> Items:
    for item in new:
        index = _index(item)
        at = held.places.get(index) if index is not None else None
        if at is not None:
            held[at] = merge(held[at], item, "")
            continue
        if index is not None:
            held.places[index] = len(held)
        held.append(_growing(item))
    return held


def _index(item: Any) -> Hashable | None:
    """Return the item's ``index`` if it is a number or a string, else None."""
    index = item.get("index") if isinstance(item, dict) else None
    return index if isinstance(index, int | float | str) else None
