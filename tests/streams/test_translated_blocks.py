"""A fallback's stream in the dialect of the route's first provider, block for block."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tokenwire.dialects import DIALECTS
from tokenwire.errors import UpstreamError
from tokenwire.streams.framing import BodyBlocks
from tokenwire.streams.translated_blocks import TranslatedBlocks

HEAD = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":'
TEXT = HEAD + b'[{"index":0,"delta":{"content":"a"},"finish_reason":null}]}\n\n'
STOP = HEAD + b'[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"


def translated(*pieces: bytes) -> TranslatedBlocks:
    """A chat stream in these pieces, as Messages events."""

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return TranslatedBlocks(DIALECTS["messages"], DIALECTS["chat"], BodyBlocks(body()))


async def test_blocks_before_a_bad_one_are_translated() -> None:
    """In one read too: they come first, the failure with the next read."""
    batches = aiter(translated(TEXT + b"data: {oops\n\n"))
    assert b'"text":"a"' in b"".join(await anext(batches))
    with pytest.raises(UpstreamError) as raised:
        await anext(batches)
    assert raised.value.code == "upstream_malformed"


async def test_bad_block_alone_fails_at_once() -> None:
    """There is nothing to translate before it."""
    with pytest.raises(UpstreamError):
        await anext(aiter(translated(b"data: {oops\n\n")))


@pytest.mark.parametrize("end", [DONE, b""])
async def test_end_is_that_of_the_wanted_dialect(end: bytes) -> None:
    """With the terminator of a compatible server, and without one after a finish; only once."""
    blocks = [block async for batch in translated(TEXT, STOP + end, DONE) for block in batch]
    assert sum(b"message_stop" in block for block in blocks) == 1
    assert b"message_stop" in blocks[-1]


async def test_stream_cut_before_its_finish_has_no_end() -> None:
    """The pump then reports it as truncated."""
    blocks = [block async for batch in translated(TEXT) for block in batch]
    assert not any(b"message_stop" in block for block in blocks)
