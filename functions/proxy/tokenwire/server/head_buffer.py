"""Send the head of a response and the first part of its body with one write."""

from __future__ import annotations

import asyncio


class HeadBuffer:
    """The transport of one response. It holds the first write until the second.

    uvicorn writes the head separately. A write is a system call, which takes as long as all Python
    code for a block, and a packet. If no second write follows in the same iteration of the event
    loop, the next iteration sends the first. ``held`` is the first write, until it is sent.

    Args:
        transport: The connection's.
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
        """Send the held write, if there is one."""
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
