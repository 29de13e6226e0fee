"""Measures of work that do not depend on the machine: calls made, and bytes allocated."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import TypeVar

T = TypeVar("T")


def calls(act: Callable[[], object]) -> int:
    """How many functions, of Python and of C, and generator steps the act takes."""
    count = 0

    def event(frame: FrameType, kind: str, value: object) -> None:
        nonlocal count
        count += kind in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(event)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


class Allocations:
    """The bytes that code allocates while it consumes a sequence. Needs ``tracemalloc``.

    For each item the highest level of memory above the level before it is counted, so that a
    buffer which is copied for every item counts each time.
    """

    def __init__(self) -> None:
        self.total = 0
        self._level, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()

    def between(self, items: Iterable[T]) -> Iterator[T]:
        """The items; what is allocated from one to the next is counted."""
        for item in items:
            self.count()
            yield item

    def count(self) -> None:
        """Count what was allocated since the last time."""
        level, peak = tracemalloc.get_traced_memory()
        self.total += peak - self._level
        tracemalloc.reset_peak()
        self._level = level


def allocated(act: Callable[[Iterator[T]], object], items: Iterable[T]) -> int:
    """How many bytes the act allocates while it consumes the items."""
    tracemalloc.start()
    try:
        found = Allocations()
        act(found.between(items))
        found.count()
    finally:
        tracemalloc.stop()
    return found.total
