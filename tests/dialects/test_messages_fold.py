"""Folding a Messages stream to a non-streaming message."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tokenwire.dialects import DIALECTS
from tokenwire.errors import UpstreamError
from tokenwire.sse import event_block


def folded(block: Any, *deltas: Any) -> Any:
    """Return the only block of a message with these deltas."""
    events = [
        {"type": "message_start", "message": {"id": "msg_1", "content": []}},
        {"type": "content_block_start", "index": 0, "content_block": block},
        *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": 0},
    ]
    blocks = [event_block(event["type"], msgspec.json.encode(event)) for event in events]
    (found,) = DIALECTS["messages"].fold(blocks)["content"]
    return found


def test_compaction_is_kept() -> None:
    """The content of a compaction arrives in one delta and is kept."""
    delta = {"type": "compaction_delta", "content": "so far …", "encrypted_content": "e"}
    assert folded({"type": "compaction", "content": None}, delta) == {
        "type": "compaction",
        "content": "so far …",
        "encrypted_content": "e",
    }


def test_unknown_deltas_are_kept() -> None:
    """Fields of later API versions are kept; null does not remove a value."""
    block = {"type": "later", "a": 1, "b": 2}
    assert folded(block, {"type": "later_delta", "a": {"x": [3]}, "b": None}) == {
        "type": "later",
        "a": {"x": [3]},
        "b": 2,
    }


@pytest.mark.parametrize("block", ['"x"', "[[1]]", "5", '{"type":5}'])
def test_a_block_of_the_wrong_shape_is_the_provider_s_fault(block: str) -> None:
    """A string instead of an object is an upstream error (found by make fuzz)."""
    with pytest.raises(UpstreamError) as caught:
        folded(msgspec.Raw(block.encode()))
    assert caught.value.code == "upstream_malformed"
