"""The input of a Responses request as the items that the API lists."""

from __future__ import annotations

from typing import Any

from ..protocol import JSON

_PREFIXES = {"message": "msg", "function_call": "fc", "function_call_output": "fco"}


def items(request: JSON, stream: str) -> list[JSON]:
    """The items, each with an id and its defaults, in the order of the request.

    Args:
        request: A valid request.
        stream: The id of the response's stream; ids of items that have none follow from it.
    """
    said: Any = request.get("input")
    if isinstance(said, str):
        said = [{"role": "user", "content": said}]
    return [_item(item, number, stream) for number, item in enumerate(said or ())]


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
    """One page of a list of items; None where ``after`` is none of them."""
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
