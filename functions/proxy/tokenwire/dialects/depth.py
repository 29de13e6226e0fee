"""How deep foreign JSON may be nested: what reads, merges and writes it goes down with it."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import Any

import msgspec

MAX_DEPTH = 128
"""Lists and objects that may stand in one another. Python's own stack ends at about 1,000."""
MAX_INNER = MAX_DEPTH - 16
"""The same for JSON in a text: parsed, it stands in an event, which has to be readable again."""

# Every quote begins a match, if only to the end of the input: no byte is read twice.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_OTHERS = bytes(set(range(256)) - set(_STEPS))


def is_deep(data: bytes, limit: int = MAX_DEPTH) -> bool:
    """Whether the JSON is nested deeper than ``limit``. Linear; cheap for nearly all."""
    if len(data) <= limit or data.count(b"[") + data.count(b"{") <= limit:
        return False
    brackets = _STRING.sub(b"", data).translate(None, _OTHERS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > limit


def parsed(text: str, kind: Any = Any) -> Any:
    """The JSON that stands in a text, such as a tool call's arguments.

    Args:
        text: Written by a model or a client.
        kind: The type that it must have.

    Raises:
        ValueError: It is no JSON, not of that type, or nested deeper than ``MAX_INNER``.
    """
    try:
        data = text.encode()
        if is_deep(data, MAX_INNER):
            raise ValueError("nested too deep")
        return msgspec.json.decode(data, type=kind)
    except RecursionError:
        raise ValueError("nested too deep") from None
