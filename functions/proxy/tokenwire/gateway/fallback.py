"""Fallbacks: the first provider of a route that begins to answer is the one that answers.

Another is tried only before the first content: after it, a second answer would be a second
answer. What the failed ones sent until then is thrown away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from ..dialects.protocol import Decoder, Dialect, as_exception
from ..errors import TokenwireError, UpstreamError
from ..events import Content, Error, Event, Finish, Reasoning, ToolCall
from ..stores.records import Attempt
from ..streams.framing import Framer

Body = AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One provider of a route.

    Args:
        name: ``provider/model``, for the log line.
        dialect: In which it answers.
        opening: Sends the request when it is entered; once.
    """

    name: str
    dialect: Dialect
    opening: AbstractAsyncContextManager[Body]


@asynccontextmanager
async def open_first(
    candidates: Sequence[Candidate], patience: float, attempts: list[Attempt]
) -> AsyncIterator[Body]:
    """The body of the first that begins, in the dialect of the first of all.

    Args:
        candidates: In order.
        patience: Seconds to the first content, for all but the last: the stream's own limits
            are enough for that one.
        attempts: Each try is noted here.

    Raises:
        TokenwireError: The last one's failure, or one that no other provider would cure.
    """
    for candidate in candidates:
        is_last = candidate is candidates[-1]
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(None if is_last else patience):
                    body = await stack.enter_async_context(candidate.opening)
                    decoder = candidate.dialect.decoder()
                    held = [] if is_last else await _until_content(body, decoder)
            except (TimeoutError, TokenwireError) as error:
                attempts.append(Attempt(candidate.name, _code(error)))
                if is_last or not getattr(error, "retryable", True):
                    raise
                continue
            attempts.append(Attempt(candidate.name))
            whole = _joined(held, body) if held else body
            yield _in(candidates[0].dialect, candidate.dialect, whole)
            return


def _code(error: TimeoutError | TokenwireError) -> str:
    return error.code if isinstance(error, TokenwireError) else "timeout_first_content"


async def _until_content(body: Body, decoder: Decoder) -> list[bytes]:
    """Read until the answer has really begun; what was read.

    Raises:
        TokenwireError: It failed before, be it inside a response with status 200.
    """
    held: list[bytes] = []
    framer = Framer()
    async for data in body:
        held.append(data)
        for block in framer.feed(data):
            if decoder.ends(block) or _begins(decoder.decode(block)):
                return held
    raise UpstreamError(
        "The provider closed the stream before the answer began.",
        code="upstream_truncated",
        retryable=True,
    )


def _begins(events: Sequence[Event]) -> bool:
    for event in events:
        if isinstance(event, Error):
            raise as_exception(event)
    return any(isinstance(event, Content | Reasoning | ToolCall | Finish) for event in events)


async def _joined(held: list[bytes], body: Body) -> Body:
    for data in held:
        yield data
    async for data in body:
        yield data


def _in(wanted: Dialect, given: Dialect, body: Body) -> Body:
    return body if wanted.name == given.name else _translated(wanted, given, body)


async def _translated(wanted: Dialect, given: Dialect, body: Body) -> Body:
    """A stream in another dialect, for a log that is in the first provider's."""
    decoder, encoder, framer = given.decoder(), wanted.encoder(), Framer()
    has_finished = False
    async for data in body:
        for block in framer.feed(data):
            if decoder.ends(block):
                rest = [out for event in decoder.decode(block) for out in encoder.encode(event)]
                yield b"".join([*rest, *encoder.end()])
                return
            for event in decoder.decode(block):
                has_finished = has_finished or isinstance(event, Finish)
                blocks = encoder.error(event) if isinstance(event, Error) else encoder.encode(event)
                if blocks:
                    yield b"".join(blocks)
    if has_finished and decoder.may_lack_end:
        # Some compatible servers send no terminator: the pump takes that for whole, and so do we.
        yield b"".join(encoder.end())
