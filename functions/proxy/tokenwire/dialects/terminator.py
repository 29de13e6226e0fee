"""The block that ends a stream in most dialects: OpenAI's ``[DONE]``."""

from __future__ import annotations

from ..sse import data_of

DONE = b"data: [DONE]\n\n"


def is_done(block: bytes) -> bool:
    """Return whether the block's data is ``[DONE]``."""
    return b"[DONE]" in block and (data_of(block) or b"").strip() == b"[DONE]"
