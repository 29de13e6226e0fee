"""The input of a Responses request as the list of items that the API returns."""

from __future__ import annotations

from typing import Any

from ..protocol import JSON

_PREFIXES = {"message": "msg", "function_call": "fc", "function_call_output": "fco"}


def items(request: JSON, stream: str) -> list[JSON]:
    """Return the items in request order, each with an id and default values.

    Args:
        request: A valid request.
        stream: The id of the response's stream. Ids are derived from it for items without one.
    """
    given: Any = request.get("input")
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    return [_item(item, number, stream) for number, item in enumerate(given or ())]


def _item(item: JSON, number: int, stream: str) -> JSON:
    kind = item.get("type") or "message"
    prefix = _PREFIXES.get(kind, "item")
    name = item.get("id") or f"{prefix}_{stream.removeprefix('st_')}_in_{number}"
    found = {"status": "completed", **item, "id": name, "type": kind}
    if kind == "message" and isinstance(item.get("content"), str):
        found["content"] = [_part(item["content"], str(item.get("role")))]
    return found


def _part(text: str, role: str) -> JSON:
    if role == "assistant":
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "input_text", "text": text}


def page(found: list[JSON], *, limit: int, descending: bool, after: str | None) -> JSON | None:
    """Return one page of a list of items, or None if no item has the id ``after``."""
    ordered = found[::-1] if descending else found
    start = 0
    if after is not None:
        places = [number for number, item in enumerate(ordered) if item["id"] == after]
        if not places:
            return None
        start = places[0] + 1
    data = ordered[start : start + limit]
    return {
        "object": "list",
        "data": data,
        "first_id": data[0]["id"] if data else "",
        "last_id": data[-1]["id"] if data else "",
        "has_more": start + limit < len(ordered),
    }
