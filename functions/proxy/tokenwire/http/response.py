"""The one ASGI response for streams.

Neither of the libraries at hand will do: their heartbeats end blocks, which breaks SDKs
once ids are used, and one of them turns a failure in mid-stream into a clean end of the
body. This one never ends a body cleanly unless the viewer has said its last word.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator
from contextlib import aclosing

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..dialects.protocol import as_event
from ..errors import ProxyError
from ..gateway.join import Reading
from ..gateway.observation import Observation
from ..streams.ending import MOVED
from ..streams.hub import Hub
from ..streams.stream import Stream
from ..streams.tail import Reader
from ..streams.viewer import view
from .manners import Manners

_FOREVER = 1e6
_HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache, no-transform",
    "x-accel-buffering": "no",
}


class StreamResponse(Response):
    """One stream, said to one client, from its cursor to the end.

    Args:
        hub: Where the stream lives; attaching through it applies the stream's policy.
        stream: The stream.
        reading: Where in it the client joins, and in which words.
        manners: How it is served.
        seen: The request's record.
    """

    def __init__(
        self, hub: Hub, stream: Stream, reading: Reading, manners: Manners, seen: Observation
    ) -> None:
        super().__init__(headers={**_HEADERS, **manners.headers, "x-stream-id": stream.meta.id})
        del self.headers["content-length"]
        self._hub = hub
        self._stream = stream
        self._reading = reading
        self._manners = manners
        self._seen = seen

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it. Returns without ending the body if the client cannot be told the truth."""
        visible = self._manners.visible
        with self._hub.watch(self._stream, self._reading.replay, visible=visible) as reader:
            watcher = asyncio.create_task(watch_disconnect(receive, reader))
            time_is_up = self._time_is_up(reader)
            try:
                refusal = await self._refusal(reader)
                if refusal is not None:
                    await refusal(scope, receive, send)
                elif not reader.stopped or reader.interruption:
                    await self._serve(send, reader)
            finally:
                watcher.cancel()
                time_is_up.cancel()
                self._seen.see(
                    self._stream, disconnected=reader.stopped and not reader.interruption
                )
        if self._seen.freezes:
            # Once we return nothing runs any more, and the store must have the end by then.
            await self._hub.settled(self._stream)

    def _time_is_up(self, reader: Reader) -> asyncio.TimerHandle:
        """A stream that runs here ends before our time is up; one that does not goes on."""
        left = math.inf if self._stream.is_ours else self._seen.seconds_left
        loop = asyncio.get_running_loop()
        return loop.call_later(min(left, _FOREVER), reader.stop, MOVED)

    async def _refusal(self, reader: Reader) -> Response | None:
        """Wait for the stream to begin, for one heartbeat at most; what to say if it failed."""
        if self._manners.refuse is None:
            return None
        await reader.wait(self._manners.heartbeat)
        tail = self._stream.tail
        error = tail.broken if tail.end is None else tail.end.error
        if tail.next > 1 or error is None or reader.stopped:
            return None
        return self._manners.refuse(error)

    async def _serve(self, send: Send, reader: Reader) -> None:
        attempts = self._stream.facts.attempts
        if attempts and attempts[-1].error is None:
            self.headers["x-model"] = _in_a_header(attempts[-1].model)
        await send(
            {"type": "http.response.start", "status": 200, "headers": list(self.raw_headers)}
        )
        try:
            async with aclosing(self._chunks(reader)) as chunks:
                async for chunk in chunks:
                    async with asyncio.timeout(self._manners.send_timeout):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                    self._seen.delivered(len(chunk))
        except (TimeoutError, OSError):
            # The client stopped reading, or is gone. Nothing more can be said to it, and an
            # unfinished body is the only honest end.
            reader.stop()
        if self._seen.delivery.complete and (not reader.stopped or reader.interruption):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _charge(self, reader: Reader) -> None:
        """What the client's dialect makes us keep is on the account of the stream's caller."""
        if not (held := self._reading.rendering.held):
            return
        hold = self._seen.held(self._hub.account(self._stream.meta.owner))
        try:
            hold.grow(held - hold.size)
        except ProxyError as error:
            reader.stop(as_event(error))

    async def _chunks(self, reader: Reader) -> AsyncGenerator[bytes]:
        manners, rendering = self._manners, self._reading.rendering
        retry = b"" if manners.retry is None else b"retry: %d\n" % manners.retry
        if opening := rendering.open(self._stream.meta):
            yield retry + opening
            retry = b""
        async for chunk in view(reader, rendering, manners.heartbeat, self._seen.delivery):
            self._charge(reader)
            if retry and not chunk.startswith(b":"):
                chunk, retry = retry + chunk, b""
            yield chunk


def _in_a_header(name: str) -> str:
    """A name as a header's value can hold it: in visible ASCII, the rest as question marks."""
    return "".join(c if " " <= c <= "~" else "?" for c in name)


async def watch_disconnect(receive: Receive, reader: Reader) -> None:
    """Stop the reader when the client goes away. The request's body has been read."""
    while (await receive())["type"] != "http.disconnect":
        pass
    reader.stop()
