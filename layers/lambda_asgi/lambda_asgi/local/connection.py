"""One HTTP/1.1 connection of the local server: h11's state machine over asyncio streams."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import h11

READ = 64 * 1024
"""Bytes of one read from a socket."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may use.

    Args:
        head: Bytes of a request's head, and of any line after it.
        head_seconds: Seconds until the head is complete; None: no limit.
        body_seconds: Seconds until the body is complete; None: no limit.
        connections: Open connections; further ones are closed.
    """

    head: int = 256 * 1024
    head_seconds: float | None = None
    body_seconds: float | None = None
    connections: int = 4096


class Connection:
    """Events in, bytes out. h11 decides what HTTP allows next.

    Args:
        reader: Bytes from the client.
        writer: Bytes to the client.
        limits: The client's limits.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: Limits
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._limits = limits
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head)

    @property
    def is_closed(self) -> bool:
        """Whether the client has closed its side, or the connection is closing."""
        return self._reader.at_eof() or self._writer.transport.is_closing()

    @property
    def peer(self) -> str:
        """The client's address."""
        return str((self._writer.get_extra_info("peername") or ("127.0.0.1",))[0])

    @property
    def port(self) -> int:
        """The port that the client connected to."""
        return int((self._writer.get_extra_info("sockname") or ("", 0))[1])

    async def request(self) -> h11.Request | None:
        """The next request's head; None if the client sent nothing, or left.

        Raises:
            TimeoutError: A part of a head arrived in time, the rest did not.
            h11.RemoteProtocolError: It is not HTTP/1.1, or larger than the limit (431).
        """
        try:
            async with asyncio.timeout(self._limits.head_seconds):
                event = await self.event()
        except TimeoutError:
            if self._h11.trailing_data[0]:
                raise
            # The client would take a 408 for the response to its next request.
            return None
        return event if isinstance(event, h11.Request) else None

    async def event(self) -> h11.Event | type[h11.PAUSED]:
        """The next event of the request.

        Raises:
            asyncio.IncompleteReadError: The client left.
            h11.RemoteProtocolError: It is not HTTP/1.1, or larger than the limit.
        """
        while (event := self._h11.next_event()) is h11.NEED_DATA:
            if self._h11.they_are_waiting_for_100_continue:
                self.send(h11.InformationalResponse(status_code=100, headers=[], reason="Continue"))
            # One byte beyond the limit makes h11 refuse a head, or a line, that is incomplete.
            room = self._limits.head + 1 - len(self._h11.trailing_data[0])
            data = await self._reader.read(min(READ, max(room, 1)))
            if not data:
                raise asyncio.IncompleteReadError(b"", None)
            self._h11.receive_data(data)
        # h11's annotations do not narrow the sentinel away.
        return event  # type: ignore[return-value]

    def send(self, event: h11.Event) -> None:
        """Write an event's bytes to the socket's buffer."""
        self._writer.write(self._h11.send(event) or b"")

    async def drain(self) -> None:
        """Wait until the socket's buffer has room."""
        await self._writer.drain()

    def next_cycle(self) -> bool:
        """Get ready for the next request; False if the connection has to be closed."""
        if not self.request_complete() or self._h11.our_state is not h11.DONE or self.is_closed:
            return False
        self._h11.start_next_cycle()
        return True

    def request_complete(self) -> bool:
        """Whether the request was read to its end, without waiting for more of it."""
        if self._h11.their_state is h11.SEND_BODY and self._h11.our_state is not h11.ERROR:
            self._h11.next_event()
        return self._h11.their_state is h11.DONE

    def can_respond(self) -> bool:
        """Whether no response has begun."""
        return self._h11.our_state in (h11.IDLE, h11.SEND_RESPONSE)

    def abort(self) -> None:
        """Close the connection at once: HTTP/1.1's sign of an incomplete response."""
        self._writer.transport.abort()

    def close(self) -> None:
        """Close the connection once what is buffered has been sent."""
        self._writer.close()
