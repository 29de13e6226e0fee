"""The JSON in a provider's block: strictly where that works, else as a browser would read it."""

from __future__ import annotations

import json
from typing import TypeVar

from msgspec.json import Decoder

from ..errors import UpstreamError
from .depth import is_deep

T = TypeVar("T")


def read(data: bytes, decoder: Decoder[T]) -> T:
    """The decoder's value.

    Some servers cut a text between the bytes of one character, or between the two halves of
    a UTF-16 pair, or write NaN for a probability. That must not cost the rest of the answer:
    halves become U+FFFD and NaN becomes null.

    Raises:
        UpstreamError: It is not what the decoder takes, or nested too deep
            (``upstream_malformed``).
    """
    if is_deep(data):
        raise malformed()
    try:
        return decoder.decode(data)
    except (ValueError, RecursionError):
        return _read_mended(data, decoder)


def _read_mended(data: bytes, decoder: Decoder[T]) -> T:
    try:
        return decoder.decode(_mended(data))
    except (ValueError, RecursionError):
        # No cause: its words may quote the provider's.
        raise malformed() from None


def fits(block: bytes, head: bytes, decoder: Decoder[T]) -> bool:
    """Whether the block is ``head`` and one line of JSON that the decoder takes, strictly.

    Args:
        block: A whole block.
        head: The block's bytes up to its JSON.
        decoder: Of the shape. What it does not name is checked to be JSON all the same.
    """
    end = len(block) - 2
    if not block.startswith(head) or block.find(b"\n", len(head)) != end or b"\r" in block:
        return False
    try:
        data = block[len(head) : end]
        if is_deep(data):
            return False
        decoder.decode(data)
    except (ValueError, RecursionError):
        return False
    return True


def malformed() -> UpstreamError:
    """The error for an event that is not what it should be."""
    return UpstreamError(
        "The provider sent an event that cannot be read.", code="upstream_malformed"
    )


def _mended(data: bytes) -> bytes:
    value = json.loads(data.decode("utf-8", "replace"), parse_constant=lambda _: None)
    text = json.dumps(value, ensure_ascii=False)
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
