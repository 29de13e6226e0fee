"""One blocked read for the streams that are followed here, instead of one for each.

``XREAD BLOCK`` takes many streams, and returns when one of them has an entry. It cannot be changed
while it waits. So up to ``MOST_READS`` are under way, each for other streams: the first ones wait
for long, the last one for a moment only, so that a stream that comes when all are under way waits
no longer. After a read has returned, the next one begins ``_INTERVAL`` after it began, with all
streams that wait by then: a busy process reads many entries at once.

Only streams that have been read to their end are read here. Imported with redis-py, late.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from hiredis import pack_command
from redis.exceptions import ResponseError

from ...clock import monotonic
from ..exceptions import StoreError
from .exchange import fail, sent
from .server import Entries, Refused, as_ours

Repeated = Callable[[Callable[..., Awaitable[Any]], Sequence[Any]], Awaitable[Any]]

_INTERVAL = 0.005
"""Seconds between the beginnings of two reads."""
_LONG, _SHORT = 1.0, 0.02
"""Seconds for which a read waits; the last one that may be under way."""
COUNT = 4
"""Entries of each stream that one read requests."""
MOST_READS = 4
"""Reads under way at once, each on a connection."""
MOST_STREAMS = 256
"""Streams of one read."""
MOST_BYTES = 1024 * 1024
"""Bytes of one response, as far as they can be expected from the streams' last entries."""


@dataclass(slots=True, eq=False)
class _Wait:
    key: str
    last: str
    size: int
    outcome: asyncio.Future[Entries | None]


class GroupReader:
    """Waits for the entries of many streams.

    Args:
        pool: redis-py's connections.
        timeout: Seconds for one read, beyond what it waits.
        repeated: Calls a function with a command, and again if it may do better then.
    """

    def __init__(self, pool: Any, timeout: float, repeated: Repeated) -> None:
        self._pool = pool
        self._timeout = timeout
        self._repeated = repeated
        self._waits: dict[str, _Wait] = {}
        self._idle: deque[_Wait] = deque()  # those that no read waits for
        self._reads: dict[int, asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._begun = -_INTERVAL
        self._is_refused = False

    def takes(self, key: str) -> bool:
        """Return whether a stream can be read here.

        Not if the server refuses such reads, or another reader of this process waits for it.
        """
        known = self._waits.get(key)
        return not self._is_refused and (known is None or known.outcome.done())

    async def read(self, key: str, last: str, seconds: float, size: int) -> Entries:
        """Wait up to ``seconds`` for entries after ``last``; ``size`` is how large one was.

        Raises:
            Refused: The server refuses the read; it may take one of this stream alone.
            StoreError: The server cannot be reached, or has not answered.
        """
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[Entries | None] = loop.create_future()
        self._enter(key, last, size, outcome)
        timer = loop.call_later(seconds, _lapse, outcome)
        try:
            return await outcome or []
        finally:
            timer.cancel()

    async def aclose(self) -> None:
        """Stop reading."""
        if self._timer is not None:
            self._timer.cancel()
        reads = list(self._reads.values())
        for read in reads:
            read.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
        fail([wait.outcome for wait in self._waits.values()], StoreError("The store is closed."))

    def _enter(
        self, key: str, last: str, size: int, outcome: asyncio.Future[Entries | None]
    ) -> None:
        known = self._waits.get(key)
        if known is not None and known.last == last:
            known.outcome = outcome  # it had lapsed; a read may still wait for it
            return
        wait = self._waits[key] = _Wait(key, last, size * COUNT, outcome)
        self._idle.append(wait)
        self._arm()

    def _arm(self) -> None:
        if self._timer is None and self._idle and len(self._reads) < MOST_READS:
            pause = max(0.0, self._begun + _INTERVAL - monotonic())
            self._timer = asyncio.get_running_loop().call_later(pause, self._due)

    def _due(self) -> None:
        self._timer = None
        waits = self._next()
        if not waits:
            return
        self._begun = monotonic()
        slot = next(slot for slot in range(MOST_READS) if slot not in self._reads)
        seconds = _SHORT if slot == MOST_READS - 1 else _LONG
        read = asyncio.get_running_loop().create_task(self._read(waits, seconds), name="redis read")
        self._reads[slot] = read
        read.add_done_callback(lambda _: self._ended(slot))
        self._arm()

    def _next(self) -> dict[str, _Wait]:
        found: dict[str, _Wait] = {}
        size = 0
        while self._idle and len(found) < MOST_STREAMS and size < MOST_BYTES:
            wait = self._idle.popleft()
            if wait.outcome.done():
                self._forget(wait)
            else:
                found[wait.key] = wait
                size += wait.size
        return found

    def _forget(self, wait: _Wait) -> None:
        if self._waits.get(wait.key) is wait:
            del self._waits[wait.key]

    def _ended(self, slot: int) -> None:
        del self._reads[slot]
        self._arm()

    async def _read(self, waits: dict[str, _Wait], seconds: float) -> None:
        block = int(seconds * 1000)
        lasts = [wait.last for wait in waits.values()]
        command = ("XREAD", "COUNT", COUNT, "BLOCK", block, "STREAMS", *waits, *lasts)
        try:
            response = await self._repeated(partial(self._send, seconds), command)
            for key, entries in response or ():
                self._deliver(waits.pop(key.decode()), [_entry(*entry) for entry in entries])
        except ResponseError as error:
            self._is_refused = self._is_refused or "CROSSSLOT" in str(error)
            self._give_up(waits, Refused())
        except Exception as error:
            self._give_up(waits, as_ours(error))
        else:
            self._idle.extend(waits.values())

    async def _send(self, seconds: float, *command: Any) -> Any:
        async with (
            asyncio.timeout(seconds + self._timeout),
            sent(self._pool, pack_command(command)) as connection,
        ):
            return await connection.read_response(timeout=math.inf)

    def _deliver(self, wait: _Wait, entries: Entries) -> None:
        self._forget(wait)
        if not wait.outcome.done():
            wait.outcome.set_result(entries)

    def _give_up(self, waits: dict[str, _Wait], error: Exception) -> None:
        for wait in waits.values():
            self._forget(wait)
        fail([wait.outcome for wait in waits.values()], error)


def _entry(entry_id: bytes, fields: list[bytes]) -> tuple[bytes, dict[bytes, bytes]]:
    return entry_id, dict(zip(fields[::2], fields[1::2], strict=True))


def _lapse(outcome: asyncio.Future[Entries | None]) -> None:
    if not outcome.done():
        outcome.set_result(None)
