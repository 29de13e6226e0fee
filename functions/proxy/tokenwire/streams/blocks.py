"""The blocks of one stream that are held in memory, within bounds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import ProxyError

BLOCK_OVERHEAD = 64
"""Bytes that CPython spends on a block beside its content: the object and its list slot."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one stream may hold, in bytes.

    ``window`` is how far the pump may run ahead of the slowest attached reader;
    ``retained`` how much of the past is kept for viewers that return.
    """

    window: int = 1024 * 1024
    retained: int = 8 * 1024 * 1024


class Blocks:
    """Consecutive blocks, oldest first.

    ``held`` are the blocks, ``first`` is the sequence number of the oldest, ``size`` their bytes,
    ``written`` the bytes of all blocks that were ever added, ``window`` the bytes of the window.

    Args:
        bounds: How much to hold.
        charge: Called with each change of ``size``; returns whether the process has room for it.
    """

    __slots__ = ("_charge", "_retained", "first", "held", "size", "window", "written")

    def __init__(self, bounds: Bounds, charge: Callable[[int], bool]) -> None:
        self._retained = bounds.retained
        self._charge = charge
        self.window = bounds.window
        self.held: list[bytes] = []
        self.first = 1
        self.size = 0
        self.written = 0

    @property
    def next(self) -> int:
        """The sequence number of the next block."""
        return self.first + len(self.held)

    def add(self, blocks: Sequence[bytes], size: int, needed: Callable[[], int]) -> None:
        """Add blocks, and drop old ones past the bounds.

        Args:
            blocks: The next blocks.
            size: The number of their bytes.
            needed: Returns the number of the oldest block that a reader still needs.

        Raises:
            ProxyError: The process has no room left (``overloaded``, 503). The blocks are added.
        """
        size += BLOCK_OVERHEAD * len(blocks)
        self.held += blocks
        self.written += size
        self.size += size
        fits = self._charge(size)
        if self.size > self._retained or not fits:
            self._shrink(needed, fits=fits)

    def add_one(self, block: bytes, needed: Callable[[], int]) -> None:
        """As ``add``, for one block: without the lists and sums, which cost as much."""
        size = len(block) + BLOCK_OVERHEAD
        self.held.append(block)
        self.written += size
        self.size += size
        fits = self._charge(size)
        if self.size > self._retained or not fits:
            self._shrink(needed, fits=fits)

    def size_from(self, number: int) -> int:
        """Return the bytes of the blocks from this number on."""
        blocks = self.held[number - self.first :]
        return sum(map(len, blocks)) + BLOCK_OVERHEAD * len(blocks)

    def drop(self) -> None:
        """Drop every block."""
        self._charge(-self.size)
        self.size = 0
        self.first += len(self.held)
        self.held.clear()

    def _shrink(self, needed: Callable[[], int], *, fits: bool) -> None:
        target = self._retained * 7 // 8 if fits else self.window
        self._trim(target, needed())
        if not fits and not self._charge(0):
            raise _out_of_memory()

    def _trim(self, target: int, needed: int) -> None:
        """Drop the oldest blocks down to ``target`` bytes, up to block number ``needed``."""
        spare = needed - self.first
        count = freed = 0
        while count < spare and self.size - freed > target:
            freed += len(self.held[count]) + BLOCK_OVERHEAD
            count += 1
        del self.held[:count]
        self.first += count
        self.size -= freed
        self._charge(-freed)


def _out_of_memory() -> ProxyError:
    return ProxyError(
        "The server is out of memory for streams.", code="overloaded", status=503, retryable=True
    )
