"""What keeps the cost of a block low, each with its reason. No protocol and no decision is here.

A model sends one token at a time, so every block is a wake-up of its own. These mechanisms
remove trips through the event loop and timers from the way of a block; tests/edge/test_hot_path.py
counts what is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any

MAX_DIRECT = 8
"""Viewers of one stream that are served where a block is appended. Each one delays the provider's
next read, and all other streams, by the cost of a send; those beyond wake as tasks, in turns."""

BURST = 16
"""Reads that a pump makes before it lets other tasks run. A wait for the network is such a pause
too, but a pump cannot tell, and a pause after each read would cost a trip through the loop."""


class LazyTimer:
    """Calls back when nothing has happened for some seconds, again and again.

    An event only notes its time. A timer for each would be made, kept in the loop's heap and
    cancelled once per block, which costs more than to encode the block.

    Args:
        seconds: Of silence.
        callback: Called then.
    """

    __slots__ = ("_callback", "_handle", "_last", "_now", "_seconds")

    def __init__(self, seconds: float, callback: Callable[[], object]) -> None:
        loop = asyncio.get_running_loop()
        self._now = loop.time
        self._seconds = seconds
        self._callback = callback
        self._last = loop.time()
        self._handle = loop.call_later(seconds, self._check)

    def touch(self) -> None:
        """Note that something happens now."""
        self._last = self._now()

    def cancel(self) -> None:
        """Never call back again."""
        self._handle.cancel()

    def _check(self) -> None:
        left = self._last + self._seconds - self._now()
        if left <= 0:
            self._last, left = self._now(), self._seconds
            self._callback()
        self._handle = asyncio.get_running_loop().call_later(left, self._check)


class Suspended:
    """The rest of a coroutine that another task has begun. Awaiting it goes on with it."""

    __slots__ = ("_awaited", "_coroutine")

    def __init__(self, coroutine: Coroutine[Any, Any, None], awaited: Any) -> None:
        self._coroutine = coroutine
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, None]:
        awaited = self._awaited
        try:
            while True:
                try:
                    result = yield awaited
                except GeneratorExit:
                    self._coroutine.close()
                    raise
                except BaseException as error:
                    awaited = self._coroutine.throw(error)
                else:
                    awaited = self._coroutine.send(result)
        except StopIteration:
            return

    def close(self) -> None:
        """Abandon it."""
        self._coroutine.close()


def begin(coroutine: Coroutine[Any, Any, None]) -> Suspended | None:
    """Run a coroutine up to where it has to wait; None if it never has to.

    A send to a client that keeps up does not wait. Where its message is made, it costs no task and
    no trip through the event loop this way. (``asyncio.eager_task_factory`` does the same from
    Python 3.12 on, with a task for each call.)

    The coroutine must not use what belongs to the running task, such as ``asyncio.timeout``.
    """
    try:
        awaited = coroutine.send(None)
    except StopIteration:
        return None
    return Suspended(coroutine, awaited)
