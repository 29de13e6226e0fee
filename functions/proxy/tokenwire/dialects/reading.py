"""Decode the JSON of a provider's block: strictly if possible, else tolerantly."""

from __future__ import annotations

import json
from typing import TypeVar

from msgspec.json import Decoder

from ..errors import UpstreamError
from .depth import MAX_DEPTH, is_deep

T = TypeVar("T")


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


def _read_tolerantly(data: bytes, decoder: Decoder[T]) -> T:
    try:
        return decoder.decode(_normalized(data))
    except (ValueError, RecursionError):
        # The cause is dropped: its message may quote the provider.
        raise malformed() from None


def fits(block: bytes, head: bytes, decoder: Decoder[T]) -> bool:
    """Return whether the block is ``head`` and one line of JSON that the decoder accepts strictly.

    Args:
        block: A complete block.
        head: The block's bytes before the JSON.
        decoder: For the shape. Fields that it does not declare are still checked to be JSON.
    """
    end = len(block) - 2
    if not block.startswith(head) or block.find(b"\n", len(head)) != end or b"\r" in block:
        return False
    try:
        data = block[len(head) : end]
        # The first condition is the one of ``is_deep``, without a call for each block.
        if data.count(b"[") + data.count(b"{") > MAX_DEPTH and is_deep(data):
            return False
        decoder.decode(data)
    except (ValueError, RecursionError):
        return False
    return True


def malformed() -> UpstreamError:
    """Return the error for an event that cannot be decoded."""
    return UpstreamError(
        "The provider sent an event that cannot be read.", code="upstream_malformed"
    )


def _normalized(data: bytes) -> bytes:
    value = json.loads(data.decode("utf-8", "replace"), parse_constant=lambda _: None)
    text = json.dumps(value, ensure_ascii=False)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
