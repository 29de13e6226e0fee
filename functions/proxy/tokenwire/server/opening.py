"""The head of a response and the first part of its body, in one packet."""

from __future__ import annotations

import asyncio


class Opening:
    """The transport of one response, which holds its first write until the second.

    uvicorn writes the head by itself. Each write is a system call, which takes as long as all that
    is done with a block, and a packet. If no second write follows at once, the next iteration of
    the loop sends the first. ``held`` is the first write, until it is sent.

    Args:
        transport: Of the connection.
        loop: The running loop.
    """

    __slots__ = ("_has_begun", "_loop", "_transport", "held")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._has_begun = False
        self.held = b""

    def write(self, data: bytes) -> None:
        """As ``asyncio.Transport``."""
        if self._has_begun:
            held, self.held = self.held, b""
            self._transport.write(held + data if held else data)
        else:
            self._has_begun, self.held = True, data
            self._loop.call_soon(self.flush)

    def flush(self) -> None:
        """Send what is held."""
        if self.held:
            held, self.held = self.held, b""
            self._transport.write(held)

    def close(self) -> None:
        """As ``asyncio.Transport``."""
        self.flush()
        self._transport.close()

    def is_closing(self) -> bool:
        """As ``asyncio.Transport``."""
        return self._transport.is_closing()
