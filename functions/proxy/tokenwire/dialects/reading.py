"""Decode the JSON of a provider's block: strictly if possible, else tolerantly."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from msgspec.json import Decoder

from ..errors import UpstreamError
from .depth import MAX_DEPTH, is_deep

T = TypeVar("T")
_CR = ord("\r")
_OBJECT = Decoder(dict[str, Any])


def read(data: bytes, decoder: Decoder[T]) -> T:
    """Return the decoded value.

    Some servers split a string between the bytes of a character or between the halves of a
    UTF-16 pair, or write NaN for a probability. This must not fail the answer: incomplete
    characters become U+FFFD and NaN becomes null.

    Raises:
        UpstreamError: The data does not fit the decoder's type, or is nested too deeply
            (``upstream_malformed``).
    """
    if is_deep(data):
        raise malformed()
    try:
        return decoder.decode(data)
    except (ValueError, RecursionError):
        return _read_tolerantly(data, decoder)


def read_object(data: bytes) -> dict[str, Any]:
    """As ``read``, for an object of any fields."""
    return read(data, _OBJECT)


def _read_tolerantly(data: bytes, decoder: Decoder[T]) -> T:
    try:
        return decoder.decode(_normalized(data))
    except (ValueError, RecursionError):
        # The cause is dropped: its message may quote the provider.
        raise malformed() from None


def notable_unless(head: bytes, decoder: Decoder[T]) -> Callable[[bytes], bool]:
    """Return a ``notable`` of a dialect: False for ``head`` and one line of JSON of one shape.

    Args:
        head: The block's bytes before the JSON.
        decoder: For the shape, strictly. Fields that it does not declare are still checked to be
            JSON.
    """
    first, decode = len(head), decoder.decode

    def notable(block: bytes) -> bool:
        end = len(block) - 2
        # An int is looked for by memchr; one byte of bytes takes eight times as long.
        if not block.startswith(head) or block.find(b"\n", first) != end or _CR in block:
            return True
        try:
            data = block[first:end]
            # A list takes two bytes or more, an object in which something is nested five. So most
            # blocks are too small to be deep, and ``is_deep`` need not be called for them.
            if len(data) + 3 * data.count(b"[") > 5 * MAX_DEPTH and is_deep(data):
                return True
            decode(data)
        except (ValueError, RecursionError):
            return True
        return False

    return notable


def malformed() -> UpstreamError:
    """Return the error for an event that cannot be decoded."""
    return UpstreamError(
        "The provider sent an event that cannot be read.", code="upstream_malformed"
    )


def _normalized(data: bytes) -> bytes:
    value = json.loads(data.decode("utf-8", "replace"), parse_constant=lambda _: None)
    text = json.dumps(value, ensure_ascii=False)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
