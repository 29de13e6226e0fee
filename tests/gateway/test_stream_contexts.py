"""The context managers around a provider's stream: they are left however it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tokenwire.dialects.origins import made
from tokenwire.errors import ClientError, ProxyError
from tokenwire.gateway.memory import RequestMemory
from tokenwire.gateway.stream_contexts import MemoryCharge, OriginalFieldErrors
from tokenwire.streams.block_stream import BlockStream
from tokenwire.streams.framing import Body, BodyBlocks

BODY = made("", {"max_tokens": 1}, max_tokens="max_output_tokens")
REFUSED = ClientError("max_tokens is too large.", code="invalid_value", param="max_tokens")


@asynccontextmanager
async def opened(*, refused: bool = False) -> AsyncIterator[Body]:
    """A provider's body, or its refusal."""
    if refused:
        raise REFUSED

    async def body() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n"

    yield body()


@pytest.mark.parametrize("when", ["when opened", "while open"])
async def test_field_has_the_caller_s_name(when: str) -> None:
    """A refusal names the field of the original request, whenever it comes."""
    with pytest.raises(ClientError) as caught:
        async with OriginalFieldErrors(opened(refused=when == "when opened"), BODY):
            raise REFUSED

    assert caught.value.param == "max_output_tokens"
    assert caught.value.message == "max_output_tokens is too large."


async def test_other_errors_pass() -> None:
    """They are the same objects, and a stream without an error passes too."""
    failure = ProxyError("The server failed.")
    with pytest.raises(ProxyError) as caught:
        async with OriginalFieldErrors(opened(), BODY):
            raise failure
    async with OriginalFieldErrors(opened(), BODY) as body:
        assert [piece async for piece in body] == [b"data: 1\n\n"]

    assert caught.value is failure


@asynccontextmanager
async def blocks(*, refused: bool = False) -> AsyncIterator[BlockStream]:
    """The blocks of a provider, or its refusal."""
    async with opened(refused=refused) as body:
        yield BodyBlocks(body)


async def test_bytes_are_charged_while_the_stream_is_open() -> None:
    """Also after the request's own release, and given back when the stream cannot be opened."""
    held: list[int] = []

    def charge(size: int) -> bool:
        held.append(size)
        return True

    memory = RequestMemory(charge)
    memory.grow(60)
    with pytest.raises(ClientError):
        async with MemoryCharge(lambda: blocks(refused=True), memory):
            raise AssertionError("It was opened.")
    assert sum(held) == 60
    async with MemoryCharge(blocks, memory):
        memory.release()
        assert sum(held) == 60
    assert sum(held) == 0
