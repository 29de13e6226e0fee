"""References to items of earlier responses: ``{"type": "item_reference", "id": …}``.

An item's id contains the id of its stream, so the stream is all that must be stored.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...errors import ClientError
from ..protocol import JSON, ItemReferences, Reference
from .encode import ResponsesEncoder
from .schema import Item


def references(body: JSON) -> list[Reference]:
    """Return the references of a validated request, in order.

    Raises:
        ClientError: An id cannot belong to an item of this server (404, ``item_not_found``).
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
    """Return whether the item is a reference to another."""
    return Item.tag_of(item) == "item_reference"


def _reference(at: str, item: str) -> Reference:
    _, _, rest = item.partition("_")
    stream, _, _ = rest.rpartition("_")
    if not stream:
        raise not_held(at)
    return Reference(at, item, f"st_{stream}")


def not_held(at: str) -> ClientError:
    """Return the error for an item that is not available."""
    return ClientError(
        f"{at} names an item that this server does not store, or no longer stores. "
        "Send the item itself (in the AI SDK: the provider option store: false).",
        code="item_not_found",
        status=404,
        param=at,
    )


def with_items(body: JSON, found: Mapping[str, JSON]) -> JSON:
    """Return the request with references replaced by the items.

    Args:
        body: The request.
        found: The items by id.
    """
    items = [found[item["id"]] if is_reference(item) else item for item in body["input"]]
    return {**body, "input": items}


REFERENCES = ItemReferences(references, with_items, not_held, ResponsesEncoder)
"""The references of this dialect."""
