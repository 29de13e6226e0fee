"""From the chunks of a stream to the ``chat.completion`` that it would have been."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ..errors import UpstreamError
from ..sse import data_of
from .protocol import JSON

# Said once, or said again in every chunk; never to be joined.
_NAMES = frozenset({"id", "index", "name", "role", "type", "object", "model"})


def fold(blocks: Iterable[bytes]) -> JSON:
    """Merge chunks by their shape, so that fields tokenwire has never heard of survive.

    Texts are joined, lists are merged by their items' ``index``, and of anything else the last
    value counts.

    Raises:
        UpstreamError: A block is not a chunk (``upstream_malformed``).
    """
    whole: JSON = {}
    choices: dict[int, JSON] = {}
    for block in blocks:
        chunk = _read(block)
        for choice in chunk.pop("choices", None) or ():
            _merge_choice(choices.setdefault(choice.get("index") or 0, {}), choice)
        whole |= {k: v for k, v in chunk.items() if v is not None and whole.get(k) in (None, v)}
        whole |= {"usage": chunk["usage"]} if chunk.get("usage") else {}
    whole.pop("obfuscation", None)
    whole["object"] = "chat.completion"
    whole["choices"] = [_choice(index, choices[index]) for index in sorted(choices)]
    return whole


def _read(block: bytes) -> JSON:
    try:
        return msgspec.json.decode(data_of(block) or b"{}", type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        raise UpstreamError(
            "The provider sent an event that cannot be read.", code="upstream_malformed"
        ) from None


def _merge_choice(held: JSON, choice: JSON) -> None:
    for key, value in choice.items():
        # `finish_reason` is null until it is not.
        held[key] = _merge(held.get(key), value, key)


def _merge(held: Any, new: Any, key: str) -> Any:
    if held is None or new is None:
        return held if new is None else _copy(new)
    if isinstance(held, str) and isinstance(new, str) and key not in _NAMES:
        return new if key == "finish_reason" else held + new
    if isinstance(held, dict) and isinstance(new, dict):
        return held | {k: _merge(held.get(k), v, k) for k, v in new.items()}
    if isinstance(held, list) and isinstance(new, list):
        return _merge_lists(held, new)
    return new


def _merge_lists(held: list[Any], new: list[Any]) -> list[Any]:
    merged = list(held)
    for item in new:
        at = _place(merged, item)
        if at is None:
            merged.append(item)
        else:
            merged[at] = _merge(merged[at], item, "")
    return merged


def _place(items: list[Any], item: Any) -> int | None:
    index = item.get("index") if isinstance(item, dict) else None
    if index is None:
        return None
    return next((n for n, held in enumerate(items) if held.get("index") == index), None)


def _copy(value: Any) -> Any:
    # A first list may itself hold several pieces of one item.
    return _merge_lists([], value) if isinstance(value, list) else value


def _choice(index: int, choice: JSON) -> JSON:
    message = {"role": "assistant", "content": None, **(choice.pop("delta", None) or {})}
    for call in message.get("tool_calls") or ():
        call.pop("index", None)
    return {"index": index, "message": message, "logprobs": None, "finish_reason": None, **choice}
