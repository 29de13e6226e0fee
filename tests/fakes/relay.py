"""A TCP relay with faults: the network between a client and a server.

It cuts connections, stalls, delays, narrows the way back, loses answers, and breaks off in the
middle of one. It can lead to another server, as a name does after a failover.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.fakes.listening import listening


class Cut(ConnectionError):
    """A connection that the relay breaks on purpose."""


@dataclass(slots=True, eq=False)
class Relay:
    """Its address, how often it was dialled, and its faults; each may change at any time.

    Args:
        target: The port that it leads to; connections that are open stay where they are.
        base_url: Its own address.
        connections: How often it was dialled.
        refuses: Whether new connections are broken at once.
        stalled: Whether nothing passes, though connections stay open.
        delay: Seconds that each piece of an answer takes longer.
        bandwidth: Bytes a second on the way back, for each connection; None for no limit.
        lose: How many answers are still to be lost: the request arrives, and the connection
            breaks where its answer would begin.
        lose_if: Only answers to requests that have these bytes in them.
        break_after: Bytes of answers after which the connection breaks; once.
        break_each: The same, for each connection, and as long as it is set.
    """

    target: int
    base_url: str = ""
    connections: int = 0
    refuses: bool = False
    stalled: bool = False
    delay: float = 0.0
    bandwidth: float | None = None
    lose: int = 0
    lose_if: bytes = b""
    break_after: int | None = None
    break_each: int | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.base_url.rpartition(":")[2])

    @property
    def open(self) -> int:
        """Connections that are open now."""
        return len(self._open) // 2

    def cut(self) -> None:
        """Break every open connection, as a lost network does."""
        for writer in self._open:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection until either side ends, or a fault breaks it."""
        self.connections += 1
        if self.refuses:
            writer.transport.abort()
            return
        there, away = await asyncio.open_connection("127.0.0.1", self.target)
        ends = {writer, away}
        self._open |= ends
        passing = _Passing(self)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(passing.requests(reader, away))
                both.create_task(passing.answers(there, writer))
        except* ConnectionError:
            for end in ends:
                end.transport.abort()
        finally:
            self._open -= ends
            for end in ends:
                end.close()


@dataclass(slots=True)
class _Passing:
    """One connection's two ways."""

    relay: Relay
    requested: bytes = b""
    given: int = 0

    async def requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """From the client to the server."""
        while data := await reader.read(65536):
            await self._held()
            self.requested = (self.requested + data)[-65536:]
            writer.write(data)
            await writer.drain()
        with suppress(OSError):
            writer.write_eof()

    async def answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """From the server to the client, through the faults."""
        while data := await reader.read(self._piece()):
            await self._held()
            self._lose()
            self.requested = b""
            await asyncio.sleep(self.relay.delay + self._time_of(data))
            writer.write(self._broken(data))
            await writer.drain()
            if self.relay.break_after == 0:
                self.relay.break_after = None
                raise Cut
            if self.given == self.relay.break_each:
                raise Cut
        with suppress(OSError):
            writer.write_eof()

    def _piece(self) -> int:
        bandwidth = self.relay.bandwidth
        return 65536 if bandwidth is None else max(1, int(bandwidth / 20))

    def _time_of(self, data: bytes) -> float:
        bandwidth = self.relay.bandwidth
        return 0.0 if bandwidth is None else len(data) / bandwidth

    async def _held(self) -> None:
        while self.relay.stalled:
            await asyncio.sleep(0.01)

    def _lose(self) -> None:
        if self.relay.lose > 0 and self.relay.lose_if in self.requested:
            self.relay.lose -= 1
            raise Cut

    def _broken(self, data: bytes) -> bytes:
        relay = self.relay
        if relay.break_each is not None:
            data = data[: max(0, relay.break_each - self.given)]
            self.given += len(data)
        if relay.break_after is None:
            return data
        kept = data[: relay.break_after]
        relay.break_after -= len(kept)
        return kept


@asynccontextmanager
async def relay(port: int) -> AsyncIterator[Relay]:
    """A relay to a port of this machine."""
    found = Relay(port)
    async with listening(found.serve) as address:
        found.base_url = f"http://{address}"
        yield found
