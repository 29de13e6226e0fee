"""Combine the events of a stream into a non-streaming ``message``."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ...sse import data_of
from ..depth import parsed
from ..merging import Text
from ..protocol import JSON
from ..reading import malformed, read_object

# By the delta's type: the block's field that it extends, and the delta's field.
_JOINED = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("signature", "signature"),
    "input_json_delta": ("input", "partial_json"),
}


def fold(blocks: Iterable[bytes]) -> JSON:
    """Complete the message that ``message_start`` began; unknown fields are kept.

    Raises:
        UpstreamError: The events are not those of a message (``upstream_malformed``).
    """
    message: JSON = {}
    content: dict[int, JSON] = {}
    try:
        for block in blocks:
            event = read_object(data_of(block) or b"{}")
            message = _take(message, content, event)
        message["content"] = [_block(content[index]) for index in sorted(content)]
    except (KeyError, TypeError, AttributeError, ValueError):
        raise malformed() from None
    return message


def _take(message: JSON, content: dict[int, JSON], event: JSON) -> JSON:
    match event.get("type"):
        case "message_start":
            return dict(event["message"])
        case "content_block_start":
            block = dict(event["content_block"])
            if block.get("type", "").endswith("tool_use"):
                block["input"] = "" if not block.get("input") else _text(block["input"])
            content[event["index"]] = block
        case "content_block_delta":
            _add(content[event["index"]], event["delta"])
        case "message_delta":
            message.update(event["delta"])
            message.setdefault("usage", {}).update(event.get("usage") or {})
    return message


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _add(block: JSON, delta: JSON) -> None:
    if delta["type"] == "citations_delta":
        cited = block["citations"] = block.get("citations") or []
        cited.append(delta["citation"])
    elif delta["type"] in _JOINED:
        field, source = _JOINED[delta["type"]]
        held = block.get(field)
        if not isinstance(held, Text):
            held = block[field] = Text(held or "")
        held.pieces.append(delta[source])
    else:
        # Compaction, and types of later API versions: each field arrives once, complete.
        given = delta.items()
        block.update((name, value) for name, value in given if name != "type" and value is not None)


def _block(block: JSON) -> JSON:
    found = {k: str(value) if isinstance(value, Text) else value for k, value in block.items()}
    if isinstance(found.get("input"), str):
        found["input"] = parsed(found["input"] or "{}")
    return found
