"""What keeps the cost of a block low, each with its reason. No protocol and no decision is here.

A model sends one token at a time, so every block is a wake-up of its own. These mechanisms
remove trips through the event loop and timers from the way of a block; tests/edge/test_hot_path.py
counts what is left.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

WRITE = "tokenwire.write"
"""The extension of the ASGI scope in which our server has a ``Write``.

``send`` is a coroutine, inside those of the middleware, though a client that keeps up never makes
it wait. To create and run them for each block costs more than to encode it."""

Write: TypeAlias = Callable[[bytes], bool]
"""Write a part of the response's body, if that does not have to wait; return whether it did not.

Otherwise nothing is written, and ``send`` waits for the client."""

ON_DISCONNECT = "tokenwire.on_disconnect"
"""The extension of the ASGI scope in which our server has an ``OnDisconnect``.

With ``receive`` alone, a task waits for the disconnect of each client: 2 KiB for as long as the
stream is open, and a twentieth of a request's CPU time."""

OnDisconnect: TypeAlias = Callable[[Callable[[], object] | None], None]
"""Have a function called once the client has disconnected, at once if it has; None calls none."""

Serve: TypeAlias = Callable[[bytes | None], bool]
"""Serve a reader that had everything: with the one new block, or, for None, with all it lacks.

Returns whether it has everything again. Otherwise its task goes on."""

MAX_DIRECT = 8
"""Viewers of one stream that are served inside an append. Each one delays the provider's
next read, and all other streams, by the cost of a send; those beyond wake as tasks, in turns."""

BURST = 16
"""Reads that a pump makes before it lets other tasks run. A wait for the network is such a pause
too, but a pump cannot tell, and a pause after each read would cost a trip through the loop."""


ServePiece: TypeAlias = Callable[[bytes], bool]
"""Take a piece of a body; return whether the next one can be taken too."""

ServePieces: TypeAlias = Callable[[list[bytes]], bool]
"""As ``ServePiece``, for two pieces or more, none of which is empty."""

INCOMING = "tokenwire.incoming"
"""The extension of a provider's response that is an ``Incoming``."""


@runtime_checkable
class Followed(Protocol):
    """A body whose pieces can be taken inside the read that brings them.

    A piece that wakes a task costs a future, a trip through the event loop and every coroutine
    that waits above it. Inside the read it costs a call.
    """

    def follow(self, serve: ServePiece, serve_many: ServePieces | None = None) -> Awaitable[None]:
        """Have ``serve`` called with each piece, inside the read, until it returns False.

        Returns then, or once the iteration has something: held pieces, the end or a failure.

        Args:
            serve: Takes what one read has brought.
            serve_many: Takes the pieces that one read has brought, instead of ``serve``. Many
                providers send each block as one piece.

        Raises:
            Exception: As ``serve`` and ``serve_many``.
        """


class Incoming(Followed, Protocol):
    """The body of a response, as its connection has it."""

    async def read(self) -> bytes:
        """Return what has arrived, at least one byte; empty at the end."""


def follow(
    body: object, serve: ServePiece, serve_many: ServePieces | None = None
) -> Awaitable[None]:
    """As ``Followed.follow``. Returns at once for a body that cannot be followed.

    A layer returns what the one below it returns: a coroutine of its own would be held for as long
    as the stream is open.
    """
    return body.follow(serve, serve_many) if isinstance(body, Followed) else at_once()


async def at_once() -> None:
    """Wait for nothing."""


@runtime_checkable
class ReadsMany(Protocol):
    """A decoder that checks the blocks of one read together: hundreds, in a fast answer."""

    def all_plain(self, blocks: Sequence[bytes]) -> bool:
        """Return whether no block is notable, as ``Decoder.notable`` defines it; False in doubt.

        There is at least one block. They may be any pieces of a body: only those that are one block
        each, and UTF-8, are plain. Changes no state.
        """


@runtime_checkable
class ReadsText(Protocol):
    """A decoder that reads the most frequent block without making an event of it."""

    def text_of(self, block: bytes) -> str | None:
        """Return the text of a block that is one piece of plain content, of the first choice.

        None for any other block, which is then decoded. Changes no state.
        """


@runtime_checkable
class WritesText(Protocol):
    """An encoder that writes the most frequent block around what it has written before."""

    def text_block(self, text: str) -> bytes | None:
        """Return the block of a piece of text, the same as of ``Content(text)``.

        None, without a change of state, if that is not one block: it is then encoded.
        """


def not_together(_: object) -> bool:
    """Stand in for ``all_plain`` of a decoder that lacks it."""
    return False


def no_text(_: object) -> None:
    """Stand in for ``text_of`` of a decoder, and ``text_block`` of an encoder, that lacks it."""


class LazyTimer:
    """Calls back when nothing has happened for some seconds, again and again.

    An event only sets ``last`` to ``now()``. A timer for each would be made, kept in the loop's
    heap and cancelled once per block, which costs more than to encode the block.

    Args:
        seconds: Of silence.
        callback: Called then.
    """

    __slots__ = ("_callback", "_handle", "_seconds", "last", "now")

    def __init__(self, seconds: float, callback: Callable[[], object]) -> None:
        loop = asyncio.get_running_loop()
        self.now = loop.time
        self._seconds = seconds
        self._callback = callback
        self.last = loop.time()
        self._handle = loop.call_later(seconds, self._check)

    def cancel(self) -> None:
        """Never call back again."""
        self._handle.cancel()

    def _check(self) -> None:
        left = self.last + self._seconds - self.now()
        if left <= 0:
            self.last, left = self.now(), self._seconds
            self._callback()
        self._handle = asyncio.get_running_loop().call_later(left, self._check)
