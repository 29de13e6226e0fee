"""Limits on the nesting depth of JSON from outside, which decoders and encoders recurse into."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import Any

import msgspec

MAX_DEPTH = 128
"""Maximum nesting of lists and objects. Python's own recursion limit is about 1,000."""
MAX_INNER = MAX_DEPTH - 16
"""Maximum nesting of JSON inside a string: once parsed, it becomes part of a larger object."""

# Every quote starts a match, possibly to the end of the input: no byte is read twice.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+(?:"|\Z)', re.DOTALL)
_STEPS = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_OTHERS = bytes(set(range(256)) - set(_STEPS))


def without_strings(data: bytes) -> bytes:
    """Return the JSON without its strings. Linear in its size."""
    return _STRING.sub(b"", data)


def is_deep(data: bytes, limit: int = MAX_DEPTH) -> bool:
    """Return whether the JSON is nested deeper than ``limit``. Linear in its size."""
    if len(data) <= limit or data.count(b"[") + data.count(b"{") <= limit:
        return False
    brackets = without_strings(data).translate(None, _OTHERS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > limit


def parsed(text: str, kind: Any = Any) -> Any:
    """Parse JSON inside a string, such as a tool call's arguments.

    Args:
        text: Written by a model or a client.
        kind: The required type.

    Raises:
        ValueError: The text is not JSON, not of that type, or nested deeper than ``MAX_INNER``.
    """
    try:
        data = text.encode()
        if is_deep(data, MAX_INNER):
            raise ValueError("nested too deeply")
        return msgspec.json.decode(data, type=kind)
    except RecursionError:
        raise ValueError("nested too deeply") from None
