"""References to items that this server has said before: ``{"type": "item_reference", "id": …}``.

An item's id holds the id of its stream, so nothing has to be remembered but the stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import ClientError
from ..protocol import JSON
from .schema import Item


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference: where it stands in the request, what it names, and that item's stream."""

    at: str
    item: str
    stream: str


def references(body: JSON) -> list[Reference]:
    """The references in a checked request, in order.

    Raises:
        ClientError: One names an item that this server cannot have said (404, ``item_not_found``).
    """
    items = body.get("input")
    if not isinstance(items, list):
        return []
    return [
        _reference(f"input[{number}].id", item["id"])
        for number, item in enumerate(items)
        if is_reference(item)
    ]


def is_reference(item: JSON) -> bool:
    """Whether the item only names another."""
    return Item.tag_of(item) == "item_reference"


def _reference(at: str, item: str) -> Reference:
    _, _, rest = item.partition("_")
    stream, _, _ = rest.rpartition("_")
    if not stream:
        raise not_held(at)
    return Reference(at, item, f"st_{stream}")


def not_held(at: str) -> ClientError:
    """The error for an item that cannot be had."""
    return ClientError(
        f"{at} names an item that this server does not hold, or no longer. "
        "Send the item itself (in the AI SDK: the provider option store: false).",
        code="item_not_found",
        status=404,
        param=at,
    )


def with_items(body: JSON, found: Mapping[str, JSON]) -> JSON:
    """The request, with the items in the place of their references.

    Args:
        body: The request.
        found: The items by their ids.
    """
    items = [found[item["id"]] if is_reference(item) else item for item in body["input"]]
    return {**body, "input": items}
