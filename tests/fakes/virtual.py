"""An event loop whose time passes only while all its tasks wait, and then at once."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")
LONG = 10 * 86_400.0
"""More seconds than any test has a reason to wait for."""


class _Skipping(selectors.SelectSelector):
    """Does not wait, but says for how long it would have."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("all tasks wait, and no timer is set")
        if timeout > 0 and self.now > LONG:
            raise RuntimeError("a test waits for ever, again and again")
        self.now += max(timeout, 0.0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Deterministic: the same tasks do the same things at the same times."""

    def __init__(self) -> None:
        self._skipping = _Skipping()
        super().__init__(self._skipping)

    def time(self) -> float:
        """Seconds since it was made."""
        return self._skipping.now

    def freeze(self, seconds: float) -> None:
        """Let time pass while nothing runs, as in a frozen process."""
        self._skipping.now += seconds


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What the coroutine returns, in no time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())
