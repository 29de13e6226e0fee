"""Send one viewer's writes to its client: inside an append if possible, else from a task."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import TypeAlias

from ..hotpath import LazyTimer, Write
from ..sse import PING
from .reader import Reader
from .viewer import Delivery, Viewer

Send: TypeAlias = Callable[[bytes, bool], Awaitable[None]]
"""Sends a part of the body. The second argument is ASGI's ``more_body``."""


class Sender:
    """Sends what a viewer reads, and heartbeats in between; ends the body with the last write.

    If a client has all blocks, the append of the next ones sends them, inside its call. If the
    client cannot take them at once, the task of ``run`` waits until it can. The task then reads the
    blocks that were appended meanwhile from the log: there is no queue.

    Args:
        reader: The client's position in the log.
        viewer: Returns the writes.
        send: Sends one write; waits until the client has room for it.
        delivery: Counts what is sent.
        heartbeat: Seconds without a write before a heartbeat.
        timeout: Maximum seconds for one send.
        write: Sends one write if that does not have to wait; None if the server cannot do so.
    """

    __slots__ = (
        "_delivery",
        "_failure",
        "_has_ended",
        "_heartbeat",
        "_is_silent",
        "_reader",
        "_send",
        "_timeout",
        "_timer",
        "_unsent",
        "_viewer",
        "_write",
    )

    def __init__(
        self,
        reader: Reader,
        viewer: Viewer,
        send: Send,
        delivery: Delivery,
        *,
        heartbeat: float,
        timeout: float,
        write: Write | None = None,
    ) -> None:
        self._reader = reader
        self._viewer = viewer
        self._send = send
        self._delivery = delivery
        self._heartbeat = heartbeat
        self._timeout = timeout
        self._write = write
        self._is_silent = False
        self._has_ended = False
        self._unsent = b""
        self._failure: Exception | None = None

    async def run(self, first_write: bytes = b"") -> None:
        """Send all writes, up to the end of the stream, or until the client has disconnected.

        The body ends only if the client was sent the dialect's terminator or error.

        Args:
            first_write: A write before those of the viewer, which does not wait for the log.

        Raises:
            TimeoutError: The client has taken nothing for ``timeout`` seconds.
            Exception: As ``send``.
        """
        self._timer = LazyTimer(self._heartbeat, self._note_silence)
        try:
            if first_write:
                await self._send_write(first_write)
            while not self._viewer.over:
                await self._step()
            if self._delivery.complete and not self._has_ended:
                await self._send_write(b"")  # the dialect ends without a block
        finally:
            self._timer.cancel()

    async def _step(self) -> None:
        data = self._viewer.next()
        if data:
            await self._send_write(data)
        elif data is None and not self._viewer.over:
            await self._reader.follow(self._decline if self._write is None else self._serve)
            await self._finish_served()
        if self._reader.has_more:
            # A long replay, which may never wait, must not block the other streams.
            await asyncio.sleep(0)

    async def _finish_served(self) -> None:
        """Send what ``_serve`` could not send, or a heartbeat; raise its failure."""
        if self._failure is not None:
            raise self._failure
        data, self._unsent = self._unsent, b""
        if data:
            await self._send_write(data)
        elif self._is_silent and not self._reader.is_due:
            self._delivery.heartbeats += 1
            await self._send_write(PING)

    async def _send_write(self, data: bytes) -> None:
        is_last = self._viewer.over
        if is_last or self._write is None or not self._write(data):
            async with asyncio.timeout(self._timeout):
                await self._send(data, not is_last)
        self._has_ended = is_last
        self._note(len(data))

    def _serve(self, block: bytes | None) -> bool:
        """Send the blocks that have just been appended; return whether the client has all."""
        viewer, timer, delivery = self._viewer, self._timer, self._delivery
        try:
            data = viewer.next() if block is None else viewer.next_one(block)
            if data:
                # The task sends the last write, with the end of the body.
                if viewer.over or not self._write(data):  # type: ignore[misc]
                    self._unsent = data
                    return False
                delivery.bytes += len(data)
                timer.last = timer.now()
                if delivery.began is None or self._is_silent:
                    self._note(0)
        except Exception as error:
            self._failure = error  # concerns this client, not the pump, which has appended
            return False
        return not (viewer.over or (block is None and self._reader.has_more))

    def _decline(self, _: bytes | None) -> bool:
        """Leave a block to the client's own task."""
        return False

    def _note(self, size: int) -> None:
        delivery = self._delivery
        delivery.bytes += size
        if delivery.began is None:
            delivery.began = perf_counter()
        self._timer.last = self._timer.now()
        self._is_silent = False

    def _note_silence(self) -> None:
        self._is_silent = True
        self._reader.wake()
