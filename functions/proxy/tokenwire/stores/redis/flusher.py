"""Commands of many streams, sent to one server together: one write, one read, one connection.

Blocks that come within ``_INTERVAL`` after a flush wait for the next one; what a request waits for
is sent at once, with all that waits. A stream has one command under way at a time, so their order
is kept. Every command has its own outcome: a refusal by the server concerns its stream alone, a
broken connection all commands that have no response yet. Imported with redis-py, late.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass
from typing import Any

from hiredis import pack_command
from redis.exceptions import ResponseError

from ...clock import monotonic
from .exchange import fail, sent

_INTERVAL = 0.005
"""Seconds between two flushes, unless more waits than one flush takes."""
MOST_COMMANDS = 128
"""Commands of one flush."""
MOST_BYTES = 256 * 1024
"""Bytes of one flush, about: it must be complete within the time-out. One command may be larger."""
MOST_FLUSHES = 4
"""Flushes under way at once, each on a connection: a slow one does not delay all others."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    command: bytes
    outcome: asyncio.Future[Any]
    late: float


class Flusher:
    """Sends commands together.

    Args:
        pool: redis-py's connections.
        timeout: Seconds for one flush.
        limit: Seconds for which a command may wait for its flush.
    """

    def __init__(self, pool: Any, timeout: float, limit: float) -> None:
        self._pool = pool
        self._timeout = timeout
        self._limit = limit
        self._waiting: deque[_Waiting] = deque()
        self._flushes: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._flushed = -_INTERVAL

    async def send(self, *command: Any, at_once: bool = True) -> Any:
        """Send a command with others; return its response.

        Args:
            command: Its parts.
            at_once: Whether it begins a flush now, because a request waits for it.

        Raises:
            Exception: As redis-py's; ``TimeoutError`` if it could not be sent in time.
        """
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Any] = loop.create_future()
        late = monotonic() + self._limit
        self._waiting.append(_Waiting(pack_command(command), outcome, late))
        if self._timer is None or at_once:
            self._arm(at_once=at_once)
        return await outcome

    async def aclose(self) -> None:
        """Stop; commands that have no response fail."""
        if self._timer is not None:
            self._timer.cancel()
        for flush in self._flushes:
            flush.cancel()
        await asyncio.gather(*self._flushes, return_exceptions=True)
        fail([one.outcome for one in self._waiting], ConnectionError())

    def _arm(self, *, at_once: bool = False) -> None:
        """Wait for the next flush; if none may begin, for the first command that is late."""
        if self._timer is not None:
            self._timer.cancel()
        now = monotonic()
        if len(self._flushes) < MOST_FLUSHES:
            pause = 0.0 if at_once else self._flushed + _INTERVAL - now
        else:
            pause = self._waiting[0].late - now
        self._timer = asyncio.get_running_loop().call_later(max(0.0, pause), self._due)

    def _due(self) -> None:
        self._timer = None
        now = monotonic()
        while self._waiting and len(self._flushes) < MOST_FLUSHES:
            self._begin(self._next())
            self._flushed = now
        while self._waiting and self._waiting[0].late <= now:
            fail([self._waiting.popleft().outcome], TimeoutError())
        if self._waiting:
            self._arm()

    def _next(self) -> list[_Waiting]:
        taken: list[_Waiting] = []
        size = 0
        while self._waiting and len(taken) < MOST_COMMANDS and size < MOST_BYTES:
            one = self._waiting.popleft()
            if not one.outcome.done():  # its stream may have been cancelled
                taken.append(one)
                size += len(one.command)
        return taken

    def _begin(self, taken: list[_Waiting]) -> None:
        flush = asyncio.get_running_loop().create_task(self._flush(taken), name="redis flush")
        self._flushes.add(flush)
        flush.add_done_callback(self._ended)

    def _ended(self, flush: asyncio.Task[None]) -> None:
        self._flushes.discard(flush)
        if self._waiting:
            self._arm()

    async def _flush(self, taken: list[_Waiting]) -> None:
        outcomes = [one.outcome for one in taken]
        try:
            async with asyncio.timeout(self._timeout):
                await self._exchange(taken)
        except asyncio.CancelledError:
            fail(outcomes, ConnectionError())
            raise
        except Exception as error:
            fail(outcomes, error)

    async def _exchange(self, taken: list[_Waiting]) -> None:
        async with sent(self._pool, b"".join([one.command for one in taken])) as connection:
            for one in taken:
                await _receive(connection, one.outcome)


async def _receive(connection: Any, outcome: asyncio.Future[Any]) -> None:
    try:
        response = await connection.read_response(timeout=math.inf)
    except ResponseError as error:
        fail([outcome], error)
    else:
        if not outcome.done():
            outcome.set_result(response)
