"""The pump: reads one provider stream into one log, and always leaves an end in it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from time import perf_counter

from ..dialects.protocol import AsIs, Decoder, Repair, as_event
from ..errors import FAILED, ProxyError, TokenwireError, UpstreamError
from ..events import Content, Error, Event, Finish, Reasoning, Start, ToolCall, Usage
from ..hotpath import BURST, ReadsMany, not_together
from ..stores.records import End, EndReason
from .block_stream import BlockStream, Taker
from .deadline import Deadline, Timeouts
from .facts import Facts
from .tail import Tail

_log = logging.getLogger("tokenwire.pump")
MAX_NAME = 256
"""Characters that are kept of a name that a provider gives."""
MAX_CHOICES = 128
"""Finish reasons that are kept of one stream: OpenAI's own limit of choices."""
_DRAIN = 1.0
_MANY = 3
"""Blocks for which a check of all together costs less than of each."""
_RUN = 64
"""Blocks that are checked together where not all of a read are plain."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where blocks come from.

    Args:
        open: Sends the request; its context is the provider's blocks.
        decoder: Decodes their dialect.
        repair: Makes them fit the schema of their dialect.
    """

    open: Callable[[], AbstractAsyncContextManager[BlockStream]]
    decoder: Decoder
    repair: Repair = field(default_factory=AsIs)


class Pump:
    """Moves one provider's stream into a tail.

    Blocks are kept verbatim. Only the notable ones, and those up to the first content, are
    decoded, to know when the answer began, what it cost, and whether it is complete.
    """

    def __init__(self, source: Source, tail: Tail, facts: Facts, timeouts: Timeouts) -> None:
        self._source = source
        self._tail = tail
        self._facts = facts
        self._timeouts = timeouts
        self._reads = 0
        decoder = source.decoder
        self._all_plain = decoder.all_plain if isinstance(decoder, ReadsMany) else not_together

    async def run(self) -> None:
        """Pump until the stream is over. Raises nothing but ``CancelledError``."""
        try:
            await self._pump()
        except TokenwireError as error:
            self._finish(End(EndReason.ERROR, as_event(error)))
        except asyncio.CancelledError:
            self._finish(End(EndReason.CANCELLED, CANCELLED))
            raise
        except Exception as error:
            # Only the type of an unexpected error is logged: its text may quote a prompt or a key.
            _log.error("the pump failed: %s", type(error).__name__)
            self._finish(End(EndReason.ERROR, as_event(ProxyError(FAILED))))

    async def _pump(self) -> None:
        async with Deadline(self._timeouts) as deadline, self._source.open() as stream:
            async for blocks in stream:
                self._reads += 1
                if self._facts.first_upstream_byte is None:
                    self._facts.first_upstream_byte = _now()
                end = self._take(blocks)
                if end is None and self._facts.first_content is not None:
                    end = await self._follow(stream, deadline)
                if end is not None:
                    self._finish(end)
                    await _drain(stream)
                    return
            self._finish(self._end_without_terminator(stream.close()))

    async def _follow(self, stream: BlockStream, deadline: Deadline) -> End | None:
        """Keep to the window; then take blocks where they arrive, for as long as that goes."""
        found: list[End] = []
        notable, append_one = self._source.decoder.notable, self._tail.append_one
        facts, tail, now = self._facts, self._tail, deadline.now

        def take(blocks: Sequence[bytes]) -> bool:
            if (end := self._take(blocks)) is not None:
                found.append(end)
                return False
            deadline.last = now()
            return not tail.exceeds_window

        def take_one(block: bytes) -> bool:
            if notable(block):
                return take([block])
            facts.blocks += 1
            facts.bytes += len(block)
            deadline.last = now()
            return append_one(block)

        def take_plain(blocks: Sequence[bytes], size: int) -> bool:
            self._keep(blocks, size)
            deadline.last = now()
            return not tail.exceeds_window

        taker = Taker(take, take_one, self._are_plain, take_plain)
        is_read = False
        while not (found or is_read):
            await self._pause(deadline)
            await stream.follow(taker)
            is_read = not self._tail.exceeds_window
        return found[0] if found else None

    def _take(self, blocks: Sequence[bytes]) -> End | None:
        if self._are_plain(blocks):
            self._keep(blocks, sum(map(len, blocks)))
            return None
        kept: list[bytes] = []
        try:
            for start in range(0, len(blocks), _RUN):
                run = blocks[start : start + _RUN]
                if len(blocks) > _RUN and self._are_plain(run):
                    kept += run
                elif (end := self._each(run, kept)) is not None:
                    return end
        finally:
            # Also where a block cannot be read: those before it were good.
            self._keep(kept, sum(map(len, kept)))
        return None

    def _are_plain(self, blocks: Sequence[bytes]) -> bool:
        begun = self._facts.first_content is not None
        return begun and len(blocks) >= _MANY and self._all_plain(blocks)

    def _each(self, blocks: Iterable[bytes], kept: list[bytes]) -> End | None:
        """Add to ``kept`` what is to be logged of these blocks; return the end, if it is there."""
        for block in blocks:
            if self._facts.first_content is None or self._source.decoder.notable(block):
                end = self._read(block)
                if end is not None:
                    return end
                block = self._source.repair.block(block)
            if block:
                kept.append(block)
        return None

    def _keep(self, blocks: Sequence[bytes], size: int) -> None:
        if blocks:
            facts = self._facts
            facts.blocks += len(blocks)
            facts.bytes += size
            self._tail.append(blocks, size)

    def _read(self, block: bytes) -> End | None:
        decoder = self._source.decoder
        if decoder.ends(block):
            return End(EndReason.DONE, block=block)
        for event in decoder.decode(block):
            if isinstance(event, Error):
                return End(EndReason.ERROR, event)
            self._note(event)
        return None

    def _note(self, event: Event) -> None:
        facts = self._facts
        match event:
            case Start(model=model):
                facts.response_model = model[:MAX_NAME]
            case Usage():
                facts.usage = event
            case Finish(reason=reason) if len(facts.finish_reasons) < MAX_CHOICES:
                facts.finish_reasons.append(reason[:MAX_NAME])
            case Content() | Reasoning() | ToolCall() if facts.first_content is None:
                facts.first_content = _now()

    async def _pause(self, deadline: Deadline) -> None:
        if self._tail.exceeds_window:
            deadline.pause()
            await self._tail.room()
        elif self._reads % BURST == 0:
            # A provider that sends without a pause must not block the other streams.
            await asyncio.sleep(0)
        deadline.progress()

    def _end_without_terminator(self, rest: bytes) -> End:
        if rest and self._source.decoder.ends(rest):
            return End(EndReason.DONE)
        if self._source.decoder.may_lack_end and self._facts.finish_reasons and not rest:
            # Some compatible servers never send a terminator. The model had finished and the
            # body was closed in good order, so the answer is complete.
            return End(EndReason.DONE)
        raise UpstreamError(
            "The provider closed the stream before the answer was complete.",
            code="upstream_truncated",
            retryable=True,
        )

    def _finish(self, end: End) -> None:
        if end.error is None:
            rest = self._source.repair.rest()
            self._keep(rest, sum(map(len, rest)))
        self._facts.ended = self._facts.ended or _now()
        self._tail.offer(end)


CANCELLED = Error("cancelled", "The stream was cancelled.", status=499)


async def _drain(stream: BlockStream) -> None:
    """Read to the end of the body, so that the connection can serve the next request."""
    try:
        async with asyncio.timeout(_DRAIN):
            await stream.drain()
    except (TimeoutError, TokenwireError):
        pass


def _now() -> float:
    return perf_counter()  # uvloop's own time stands still for as long as a callback runs
