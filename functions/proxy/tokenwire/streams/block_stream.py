"""The blocks of one stream, as the pump reads them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Taker:
    """Takes the blocks of a stream inside the read in which they arrive.

    All but ``are_plain`` return whether the next batch can be taken too.

    Args:
        take: Takes a batch.
        take_one: Takes a batch of one block that needs no correction of its lines. Its content
            has not been checked.
        are_plain: Returns whether each of these pieces of a body is one block of content that
            need not be decoded. False in doubt.
        take_plain: Takes such pieces as a batch, and the number of their bytes.
    """

    take: Callable[[Sequence[bytes]], bool]
    take_one: Callable[[bytes], bool]
    are_plain: Callable[[Sequence[bytes]], bool]
    take_plain: Callable[[Sequence[bytes], int], bool]


class BlockStream(Protocol):
    """The blocks of one stream, in batches: one read completes the blocks of a batch, or none."""

    def __aiter__(self) -> AsyncIterator[Sequence[bytes]]:
        """Iterate over the batches.

        Raises:
            TokenwireError: The stream cannot be read further. The blocks before were returned.
        """

    def follow(self, taker: Taker) -> Awaitable[None]:
        """Pass each batch to the taker inside the read, until it can take no more.

        Returns then, or once the iteration has a batch, an end or a failure. Returns at once if
        the body cannot be followed.

        Raises:
            TokenwireError: As the iteration, or as the taker.
        """

    def close(self) -> bytes:
        """End the stream after its last batch; return the bytes after the last complete block."""

    async def drain(self) -> None:
        """Read the rest of the body and drop it, so that its connection can be used again."""
