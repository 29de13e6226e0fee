"""The function URL: a request becomes an invocation, and its response is streamed back."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate

from .. import wire
from .cors import Cors
from .events import Endpoint, function_url_event
from .http import Incoming, Outgoing
from .invocation import End, Failed, Invocation, Start, Throttled, new_id
from .pool import Pool
from .report import notice
from .response import Head, NotAResponse, PreludeParser, parse_buffered, remapped
from .runtime_api import MAX_BUFFERED, MAX_EVENT

LOOK = 0.05
"""Seconds between two looks at whether a client is still there."""

_JSON = ("content-type", "application/json")


@dataclass(frozen=True, slots=True)
class FunctionUrl:
    """Serves requests through a pool; and the Invoke API, at its own paths.

    Args:
        pool: The function.
        region: Part of the domain name that events give.
        streams: ``InvokeMode``: RESPONSE_STREAM if true, else BUFFERED.
        cors: The URL's own CORS settings; None leaves CORS to the function.
        tells_disconnect: Whether the function's writes fail once the client has left. Lambda
            does not tell a function: what it still writes is read and dropped.
    """

    pool: Pool
    region: str = "us-east-1"
    streams: bool = True
    cors: Cors | None = None
    tells_disconnect: bool = False

    async def serve(self, incoming: Incoming, outgoing: Outgoing) -> None:
        """Serve one request."""
        if self.pool.invoke_api.takes(incoming):
            await self.pool.invoke_api.serve(incoming, outgoing)
            return
        preflight = self.cors.preflight(incoming) if self.cors else None
        if preflight is not None:
            await incoming.read(0)
            outgoing.respond(200, preflight)
        else:
            await self._invoke(incoming, outgoing)

    async def _invoke(self, incoming: Incoming, outgoing: Outgoing) -> None:
        invocation = await self._invocation(incoming, outgoing)
        if invocation is None:
            outgoing.respond(413, [_JSON], b'{"message":"the request is larger than 6 MB"}')
            return
        try:
            self.pool.invoke(invocation)
        except Throttled:
            outgoing.respond(429, [_JSON], b'{"Reason":"ConcurrentInvocationLimitExceeded"}')
            return
        watching = asyncio.create_task(self._watch(invocation, outgoing))
        added = self.cors.response(incoming) if self.cors else []
        response = _Response(invocation, outgoing, added, incoming.method)
        try:
            await (response.stream() if self.streams else response.buffer())
        finally:
            watching.cancel()

    async def _invocation(self, incoming: Incoming, outgoing: Outgoing) -> Invocation | None:
        """The request as an invocation; None if it is larger than Lambda allows."""
        body = await incoming.read(MAX_EVENT)
        if body is None:
            return None
        request_id = new_id()
        trace_id = f"Root=1-{os.urandom(4).hex()}-{os.urandom(12).hex()}"
        endpoint = Endpoint("local", self.region, outgoing.peer, outgoing.port)
        event = function_url_event(incoming, body, endpoint, request_id, trace_id)
        if len(event) > MAX_EVENT:
            return None
        return Invocation(request_id, event, f"{trace_id};Sampled=0")

    async def _watch(self, invocation: Invocation, outgoing: Outgoing) -> None:
        """Cut the function's response once the client has left, where that is wanted.

        By looking: only a read would show a stream's end, and might take the next request.
        """
        while self.tells_disconnect:
            await asyncio.sleep(LOOK)
            if outgoing.is_closed and invocation.cut is not None:
                notice(f"RequestId: {invocation.request_id} the client left: the response is cut")
                invocation.cut()
                invocation.fail("Client.Disconnected")
                return


@dataclass(slots=True)
class _Response:
    """One response on its way to the client."""

    invocation: Invocation
    outgoing: Outgoing
    added: list[tuple[str, str]]
    method: str
    _prelude: PreludeParser | None = None
    _buffered: bytearray = field(default_factory=bytearray)

    async def stream(self) -> None:
        """Send the parts as they come."""
        while not isinstance(part := await self.invocation.get(), End | Failed):
            try:
                await self._take(part)
            except NotAResponse as error:
                self._refuse(error)
                await self.invocation.drain()
                return
        await self.invocation.reported.wait()
        if isinstance(part, Failed) or not self.outgoing.begun:
            self._fail(part if isinstance(part, Failed) else Failed("Function.NoResponse"))
        else:
            self.outgoing.end()

    async def buffer(self) -> None:
        """Send the response once it is complete, as a URL with ``InvokeMode: BUFFERED`` does."""
        streamed = False
        while not isinstance(part := await self.invocation.get(), End | Failed):
            if isinstance(part, Start):
                streamed = part.content_type == wire.STREAM_TYPE
            elif len(self._buffered) <= MAX_BUFFERED:
                self._buffered += part
        await self.invocation.reported.wait()
        if len(self._buffered) > MAX_BUFFERED:
            part = Failed("Function.ResponseSizeTooLarge")
        if isinstance(part, Failed):
            self._fail(part)
            return
        try:
            self._respond(streamed=streamed)
        except NotAResponse as error:
            self._refuse(error)

    def _respond(self, *, streamed: bool) -> None:
        payload = bytes(self._buffered)
        found = PreludeParser.new().feed(payload) if streamed else parse_buffered(payload)
        if found is None:
            raise NotAResponse("the prelude has no end")
        head, body = found
        self.outgoing.respond(head.status, self._headers(head, streamed=False), body)

    async def _take(self, part: Start | bytes) -> None:
        if isinstance(part, Start):
            self._begin(part)
        elif self.outgoing.begun:
            await self._write(part)
        elif self._prelude is None:
            head, body = parse_buffered(part)
            self._start(head, streamed=False)
            await self._write(body)
        elif (found := self._prelude.feed(part)) is not None:
            self._start(found[0], streamed=True)
            await self._write(found[1])

    def _begin(self, start: Start) -> None:
        if start.streamed and start.content_type == wire.STREAM_TYPE:
            self._prelude = PreludeParser.new()
        elif start.streamed:
            kind = start.content_type or "application/octet-stream"
            self._start(Head(200, (("content-type", kind),)), streamed=True)

    def _start(self, head: Head, *, streamed: bool) -> None:
        self.outgoing.start(head.status, self._headers(head, streamed=streamed))

    def _headers(self, head: Head, *, streamed: bool) -> list[tuple[str, str]]:
        own = [("x-amzn-requestid", self.invocation.request_id), ("date", formatdate(usegmt=True))]
        return [*remapped(head.headers, streamed=streamed), *self.added, *own]

    async def _write(self, data: bytes) -> None:
        # What is still to come for a client that left is read and dropped, as Lambda does.
        if not self.outgoing.is_closed:
            with suppress(OSError):
                await self.outgoing.write(data)

    def _fail(self, failure: Failed) -> None:
        if self.outgoing.begun:
            self.outgoing.abort()
            return
        id_ = ("x-amzn-requestid", self.invocation.request_id)
        headers = [_JSON, ("x-amzn-errortype", failure.kind), id_]
        self.outgoing.respond(502, headers, b'{"message":"Internal Server Error"}')

    def _refuse(self, error: NotAResponse) -> None:
        """Answer for a function whose response is malformed."""
        notice(f"RequestId: {self.invocation.request_id} not an HTTP response: {error}")
        self._fail(Failed("Function.InvalidResponse"))
