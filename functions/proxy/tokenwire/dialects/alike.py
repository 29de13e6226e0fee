"""Check many blocks at once: those that differ from a checked one in nothing but a text.

What a provider sends of one answer differs from block to block in the text and, where the provider
hides the lengths of tokens, in another string beside it. To decode each block takes ten times as
long as to compare the rest of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import islice, repeat

from ..sse import is_utf8

_MOST = 2
"""Strings that differ."""
_IN_STRINGS = bytes(set(range(0x20, 0x100)) - set(b'"\\'))
"""Bytes that stand in a JSON string without an escape, those of UTF-8 included."""
_BACKSLASH = ord("\\")
_ESCAPE = re.compile(rb'\\(?:["\\/bfnrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})')
_BETWEEN = b"\r"


def alike_unless(
    notable: Callable[[bytes], bool], *fields: bytes
) -> Callable[[Sequence[bytes]], bool]:
    """Return an ``all_plain`` of a dialect (``hotpath.ReadsMany``).

    Args:
        notable: The dialect's, for one block.
        fields: Names of fields that may have any string, wherever they are in a block.
    """
    names = b"|".join(map(re.escape, fields))
    strings = re.compile(rb'"(?:%b)": ?"([^"\\]*+(?:\\.[^"\\]*+)*+)"' % names)

    def all_plain(blocks: Sequence[bytes]) -> bool:
        first = blocks[0]
        places = [found.span(1) for found in islice(strings.finditer(first), _MOST)]
        if not places or notable(first) or not is_utf8(first):
            return False
        start, end = places[0]
        # What is true of the least block and of the greatest is true of those between them.
        head = first[:start]
        if not (min(blocks).startswith(head) and max(blocks).startswith(head)):
            return False
        for begin, last in places:
            tail = first[last:]
            if all(map(bytes.endswith, blocks, repeat(tail))):
                return _are_strings(blocks, start, len(tail), first[end:begin])
        return False

    return all_plain


def _are_strings(blocks: Sequence[bytes], head: int, tail: int, middle: bytes) -> bool:
    """Return whether the rest of each block is the inside of one JSON string, or of two.

    Also False where it has the halves of a UTF-16 pair as escapes.

    Args:
        blocks: The blocks.
        head: Bytes at the beginning that are not the rest.
        tail: Bytes at the end that are not either.
        middle: The bytes between the two strings; empty if there is one.
    """
    count = len(blocks)
    texts = [block[head:-tail] for block in blocks]
    # Where nothing is between head and tail they may overlap.
    if b"" in texts and min(map(len, blocks)) < head + tail:
        return False
    every = _BETWEEN.join(texts)
    if not is_utf8(every):
        return False
    ends = _BETWEEN * (count - 1)
    if middle:
        every = b"\n".join(every.split(middle))
        ends = b"\n" + ends.replace(_BETWEEN, _BETWEEN + b"\n")
    if _BACKSLASH in every:
        every = _ESCAPE.sub(b"", every)
    return every.translate(None, _IN_STRINGS) == ends
