"""The blocks of one stream, as the pump reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Taker:
    """How blocks are taken where they arrive. All but ``are_plain`` return whether to go on.

    Args:
        take: Takes a batch.
        take_one: Takes one plain block, which is all of a batch.
        are_plain: Returns whether pieces of a body are blocks that pass as they are: each is one
            block, with text and nothing else. False in doubt.
        take_plain: Takes blocks that are plain, and the number of their bytes.
    """

    take: Callable[[Sequence[bytes]], bool]
    take_one: Callable[[bytes], bool]
    are_plain: Callable[[Sequence[bytes]], bool]
    take_plain: Callable[[Sequence[bytes], int], bool]


class BlockStream(Protocol):
    """The blocks of one stream, in batches: those that one read completes, which may be none."""

    def __aiter__(self) -> AsyncIterator[Sequence[bytes]]:
        """Iterate over the batches.

        Raises:
            TokenwireError: The stream cannot be read further. The blocks before were returned.
        """

    def follow(self, taker: Taker) -> Awaitable[None]:
        """Have each batch taken where it arrives, until no more can be taken.

        Returns then, or once the iteration has something; at once where that is not possible.

        Raises:
            TokenwireError: As the iteration; or as the taker.
        """

    @property
    def rest(self) -> bytes:
        """What follows the last complete block, once the iteration has ended."""

    async def drain(self) -> None:
        """Read the body to its end without looking at it, so that its connection is reusable."""
