"""An end that the writer of a log has offered, until the store has accepted it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..stores.records import End


class OfferedEnd:
    """Holds an end back for as long as the store may still have another one.

    Args:
        wait: Returns the seconds to wait for the store; 0 to wait for nothing.
        finish: Called with the end if the store has not answered in time.
    """

    __slots__ = ("_finish", "_timer", "_wait", "end")

    def __init__(self, wait: Callable[[], float], finish: Callable[[End], object]) -> None:
        self._wait = wait
        self._finish = finish
        self._timer: asyncio.TimerHandle | None = None
        self.end: End | None = None

    def hold(self, end: End) -> bool:
        """Hold this end back; return whether it has to wait at all."""
        seconds = self._wait()
        if seconds:
            self.end = end
            self._start_timer(seconds, again=True)
        return bool(seconds)

    def settle(self) -> None:
        """Stop waiting: the log has an end."""
        if self._timer is not None:
            self._timer.cancel()

    def _start_timer(self, seconds: float, *, again: bool) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, self._lapse, loop.time() + 2 * seconds, again)

    def _lapse(self, late: float, again: bool) -> None:
        if again and asyncio.get_running_loop().time() > late:
            # The process was frozen: the store's answer may be there, but not read yet.
            self._start_timer(self._wait(), again=False)
        elif self.end is not None:
            self._finish(self.end)
