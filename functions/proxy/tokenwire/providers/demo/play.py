"""A script as a response body, at its pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from ...dialects.protocol import JSON
from ...dialects.terminator import DONE
from ...errors import UpstreamError
from .chunks import Chunks, block
from .script import Script
from .tokens import Tokens, logprobs, tokens


async def play(script: Script, chunks: Chunks) -> AsyncIterator[bytes]:
    """Yield the blocks of the answer, each when it is due.

    Raises:
        UpstreamError: The prompt requests a broken connection (``upstream_disconnected``).
    """
    await asyncio.sleep(script.wait)
    answer = tokens(script, chunks.id)
    for opening in _of_each(script, chunks, {"role": "assistant", "content": "", "refusal": None}):
        yield opening
    clock = asyncio.get_running_loop().time
    begun = clock()
    for number, delta in enumerate(answer.deltas):
        if number == len(answer.deltas) // 2:
            await asyncio.sleep(script.stall)
            begun += script.stall
            if script.fail or script.drop:
                yield _failure(script)
                return
        # Against the clock, not a sleep for each: a late token does not make all others late.
        await asyncio.sleep(max(0.0, begun + number / script.pace - clock()))
        for part in _of_each(script, chunks, delta):
            yield part
    for end in _ending(script, chunks, answer):
        yield end


def _failure(script: Script) -> bytes:
    if script.drop:
        raise UpstreamError(
            "The demo provider hung up, as instructed.",
            code="upstream_disconnected",
            retryable=True,
        )
    error = {"message": "as instructed", "type": "server_error", "code": "server_error"}
    return block({"error": error})


def _choices(script: Script) -> range:
    return range(script.options.n or 1)


def _of_each(script: Script, chunks: Chunks, delta: JSON) -> Iterator[bytes]:
    options = script.options
    odds = (
        logprobs(delta, options.top_logprobs) if options.logprobs and "role" not in delta else None
    )
    for choice in _choices(script):
        yield chunks.delta(delta, choice=choice, logprobs=odds)


def _ending(script: Script, chunks: Chunks, answer: Tokens) -> Iterator[bytes]:
    for choice in _choices(script):
        yield chunks.delta({}, answer.finish, choice=choice)
    times = len(_choices(script))
    completion, reasoning = len(answer.deltas) * times, answer.reasoning * times
    yield chunks.usage(script.prompt_tokens, completion, reasoning)
    yield DONE


async def oddly(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield the stream with all that the specification allows: a BOM, comments, CRLF, cuts."""
    yield b"\xef\xbb\xbf: odd on purpose\r\n\r\n"
    async for sent in body:
        line = sent.strip() + b"\r\n: between\r\n\r\n"
        for at in range(0, len(line), 7):
            yield line[at : at + 7]
