"""Send one viewer's writes to its client, where the blocks are appended or in a task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from ..hotpath import LazyTimer, Suspended, begin
from ..sse import PING
from .reader import Reader
from .viewer import Delivery, Viewer

Send: TypeAlias = Callable[[bytes], Coroutine[Any, Any, None]]


class Sender:
    """Sends what a viewer reads, and heartbeats in between.

    A client that has everything is sent the next blocks by ``append`` itself, inside the call. A
    send that has to wait is finished by the task that runs ``run``, which reads from the log what
    has come meanwhile: there is no queue.

    Args:
        reader: The client's place in the log.
        viewer: Its writes.
        send: Sends one write.
        sent: Called with the size of each write that the client has taken.
        delivery: Counts the heartbeats.
        heartbeat: Seconds without a write before a heartbeat.
        timeout: Maximum seconds for one send.
        direct: Whether ``send`` may be begun in another task than the one that finishes it.
    """

    __slots__ = (
        "_delivery",
        "_direct",
        "_failure",
        "_heartbeat",
        "_is_silent",
        "_reader",
        "_rest",
        "_send",
        "_sent",
        "_size",
        "_timeout",
        "_timer",
        "_viewer",
    )

    def __init__(
        self,
        reader: Reader,
        viewer: Viewer,
        send: Send,
        sent: Callable[[int], None],
        delivery: Delivery,
        *,
        heartbeat: float,
        timeout: float,
        direct: bool = False,
    ) -> None:
        self._reader = reader
        self._viewer = viewer
        self._send = send
        self._sent = sent
        self._delivery = delivery
        self._heartbeat = heartbeat
        self._timeout = timeout
        self._direct = direct
        self._is_silent = False
        self._rest: Suspended | None = None
        self._failure: Exception | None = None

    async def run(self) -> None:
        """Send everything, up to the end of the stream or of the client.

        Raises:
            TimeoutError: The client took nothing for ``timeout`` seconds.
            Exception: As ``send``.
        """
        self._timer = LazyTimer(self._heartbeat, self._note_silence)
        try:
            while not self._viewer.over:
                await self._go_on()
        finally:
            self._timer.cancel()
            if self._rest is not None:
                self._rest.close()

    async def _go_on(self) -> None:
        data = self._viewer.next()
        if data:
            await self._finish(begin(self._send(data)), len(data))
        elif data is None and not self._viewer.over:
            await self._reader.follow(self._serve if self._direct else _wake)
            await self._finish_served()
        if self._reader.has_more:
            # A long replay, which may never wait, must not block the other streams.
            await asyncio.sleep(0)

    async def _finish_served(self) -> None:
        if self._failure is not None:
            raise self._failure
        rest, self._rest = self._rest, None
        if rest is not None:
            await self._finish(rest, self._size)
        elif self._is_silent and not self._reader.is_due:
            self._delivery.heartbeats += 1
            await self._finish(begin(self._send(PING)), len(PING))

    async def _finish(self, rest: Suspended | None, size: int) -> None:
        """Wait for the client to take a write, if it has to be waited for."""
        if rest is not None:
            async with asyncio.timeout(self._timeout):
                await rest
        self._note_sent(size)

    def _serve(self) -> bool:
        """Send what has just been appended; return whether the client has taken all."""
        try:
            data = self._viewer.next()
            if not data:
                pass  # read, but without bytes in this dialect
            elif (rest := begin(self._send(data))) is None:
                self._note_sent(len(data))
            else:
                self._rest, self._size = rest, len(data)
        except Exception as error:
            self._failure = error  # of this client: not for the pump that appends
            return False
        return self._rest is None and not self._viewer.over and not self._reader.has_more

    def _note_sent(self, size: int) -> None:
        self._sent(size)
        self._timer.touch()
        self._is_silent = False

    def _note_silence(self) -> None:
        self._is_silent = True
        self._reader.wake()


def _wake() -> bool:
    """Leave a block to the client's own task."""
    return False
