"""Check many blocks together, which differ from a checked one in one or two strings only.

The blocks of one answer differ in the text and, if the provider hides the lengths of tokens, in a
string of padding. To decode a block takes ten times as long as to compare the rest of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import islice, repeat

from ..sse import is_utf8

_MAX_FIELDS = 2
"""Strings in which the blocks may differ."""
_IN_STRINGS = bytes(set(range(0x20, 0x100)) - set(b'"\\'))
"""Bytes that a JSON string has without an escape, those of UTF-8 characters included."""
_BACKSLASH = ord("\\")
_ESCAPE = re.compile(rb'\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})')
_BLOCK_MARK = b"\r"


def all_plain_by_comparison(
    notable: Callable[[bytes], bool], *varying: bytes
) -> Callable[[Sequence[bytes]], bool]:
    """Return the ``all_plain`` of a dialect (``hotpath.ReadsMany``).

    Args:
        notable: The dialect's ``Decoder.notable``, which checks one block.
        varying: Names of the fields whose strings may differ, anywhere in a block.
    """
    names = b"|".join(map(re.escape, varying))
    strings = re.compile(rb'"(?:%b)": ?"([^"\\]*+(?:\\.[^"\\]*+)*+)"' % names)

    def all_plain(blocks: Sequence[bytes]) -> bool:
        first = blocks[0]
        places = [found.span(1) for found in islice(strings.finditer(first), _MAX_FIELDS)]
        if not places or notable(first) or not is_utf8(first):
            return False
        start, end = places[0]
        # All blocks lie between the smallest and the largest in byte order: if these two begin
        # with ``head``, all do.
        head = first[:start]
        if not (min(blocks).startswith(head) and max(blocks).startswith(head)):
            return False
        for begin, last in places:
            tail = first[last:]
            if all(map(bytes.endswith, blocks, repeat(tail))):
                # Empty in the first iteration (begin <= end): then only one string differs.
                middle = first[end:begin]
                return _are_strings(blocks, start, len(tail), middle)
        return False

    return all_plain


def _are_strings(blocks: Sequence[bytes], head_size: int, tail_size: int, middle: bytes) -> bool:
    """Return whether the blocks differ in the content of one JSON string, or of two.

    False also if a string has an escaped half of a UTF-16 pair.

    Args:
        blocks: Blocks with the same first and last bytes.
        head_size: The number of these first bytes.
        tail_size: The number of these last bytes.
        middle: The bytes between the two strings; empty if there is one.
    """
    count = len(blocks)
    texts = [block[head_size:-tail_size] for block in blocks]
    # The first and the last bytes overlap in a block that is shorter than both.
    if b"" in texts and min(map(len, blocks)) < head_size + tail_size:
        return False
    # CR marks the end of each block but the last, and LF the place of ``middle``. Neither can be in
    # a JSON string: without the bytes that can, exactly these marks must remain.
    joined = _BLOCK_MARK.join(texts)
    if not is_utf8(joined):
        return False
    marks = _BLOCK_MARK * (count - 1)
    if middle:
        joined = b"\n".join(joined.split(middle))
        marks = b"\n" + marks.replace(_BLOCK_MARK, _BLOCK_MARK + b"\n")
    if _BACKSLASH in joined:
        joined = _ESCAPE.sub(b"", joined)
    return joined.translate(None, _IN_STRINGS) == marks
