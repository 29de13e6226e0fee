"""Fallbacks: try the providers of a route in order, until one begins to answer.

The next provider is tried only before the first content: afterwards the client would get parts of
two answers. What a failed provider sent before its content is discarded.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from ..dialects.protocol import Decoder, Dialect, as_exception
from ..errors import TokenwireError, UpstreamError
from ..events import Content, Error, Event, Finish, Reasoning, ToolCall
from .block_stream import BlockStream
from .facts import Attempt
from .framing import Body, BodyBlocks
from .translated_blocks import TranslatedBlocks

_NO_LIMIT = nullcontext()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One provider of a route.

    Args:
        name: ``provider/model``, for the log line.
        dialect: The dialect of its stream.
        opening: Sends the request when it is entered. Can be entered once.
    """

    name: str
    dialect: Dialect
    opening: AbstractAsyncContextManager[Body]


class _Opening:
    """A context that is entered within another, and left with it. An exit stack takes 0.9 KiB."""

    __slots__ = ("_context", "_is_entered")

    def __init__(self, context: AbstractAsyncContextManager[Body]) -> None:
        self._context = context
        self._is_entered = False

    async def enter(self) -> Body:
        """Enter it."""
        body = await self._context.__aenter__()
        self._is_entered = True
        return body

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        if not self._is_entered:
            return None
        return await self._context.__aexit__(kind, error, traceback)


@asynccontextmanager
async def open_first(
    candidates: Sequence[Candidate], patience: float, attempts: list[Attempt], max_block: int
) -> AsyncIterator[BlockStream]:
    """Open the stream of the first candidate that answers, in the dialect of the first candidate.

    Args:
        candidates: In order.
        patience: Seconds to the first content, for all but the last: the limits of the stream
            apply to the last.
        attempts: Each try is appended here.
        max_block: The largest block to accept, in bytes.

    Raises:
        TokenwireError: The failure of the last candidate, or one that no other provider would
            cure.
    """
    for candidate in candidates:
        is_last = candidate is candidates[-1]
        async with _Opening(candidate.opening) as opening:
            try:
                async with _NO_LIMIT if is_last else asyncio.timeout(patience):
                    body = await opening.enter()
                    blocks = BodyBlocks(body, max_block)
                    if not is_last:
                        await _until_content(blocks, candidate.dialect.decoder())
            except (TimeoutError, TokenwireError) as error:
                attempts.append(Attempt(candidate.name, _code(error)))
                if is_last or not getattr(error, "retryable", True):
                    raise
                continue
            attempts.append(Attempt(candidate.name))
            yield _in(candidates[0].dialect, candidate.dialect, blocks)
            return


def _code(error: TimeoutError | TokenwireError) -> str:
    return error.code if isinstance(error, TokenwireError) else "timeout_first_content"


async def _until_content(blocks: BodyBlocks, decoder: Decoder) -> None:
    """Read until the first content, and put back what was read.

    Raises:
        TokenwireError: The stream failed before, even inside a response with status 200.
    """
    held: list[bytes] = []
    async for batch in blocks:
        held += batch
        if any(decoder.ends(block) or _begins(decoder.decode(block)) for block in batch):
            blocks.put_back(held)
            return
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


def _in(wanted: Dialect, given: Dialect, blocks: BlockStream) -> BlockStream:
    return blocks if wanted.name == given.name else TranslatedBlocks(wanted, given, blocks)
