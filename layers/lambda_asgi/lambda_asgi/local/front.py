"""The function URL: a request becomes an invocation, its answer a response, as it comes."""

from __future__ import annotations

import asyncio
import os
import uuid
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate

from .. import wire
from .call import Call, End, Failed, Prelude, Throttled
from .events import Door, function_url_event
from .http import Incoming, Outgoing
from .pool import Pool
from .report import say
from .runtime_api import MAX_PAYLOAD

LOOK = 0.05
"""Seconds between two looks at whether a client is still there."""

_JSON = [("content-type", "application/json")]
_NOT_PASSED = frozenset({"content-length", "transfer-encoding", "connection"})


@dataclass(frozen=True, slots=True)
class FunctionUrl:
    """Answers requests through a pool.

    Args:
        pool: The function.
        region: Part of the domain name that events give.
        tells_disconnect: Whether a client that leaves makes the function's writes fail.
            Lambda tells a function nothing; then what it writes is read and dropped.
    """

    pool: Pool
    region: str = "us-east-1"
    tells_disconnect: bool = False

    async def serve(self, incoming: Incoming, outgoing: Outgoing) -> None:
        """One request."""
        call = await self._call(incoming, outgoing)
        if call is None:
            outgoing.whole(413, _JSON, b'{"message":"the request is larger than 6 MB"}')
            return
        try:
            self.pool.invoke(call)
        except Throttled:
            outgoing.whole(429, _JSON, b'{"Reason":"ConcurrentInvocationLimitExceeded"}')
            return
        watching = asyncio.create_task(self._watch(call, outgoing))
        try:
            await _answer(call, incoming.method, outgoing)
        finally:
            watching.cancel()

    async def _call(self, incoming: Incoming, outgoing: Outgoing) -> Call | None:
        """The invocation; None if it would be larger than Lambda takes."""
        body = await incoming.read(MAX_PAYLOAD)
        if body is None:
            return None
        trace_id = f"Root=1-{os.urandom(4).hex()}-{os.urandom(12).hex()}"
        door = Door("local", self.region, outgoing.peer, outgoing.port)
        event = function_url_event(incoming, body, door, trace_id)
        if len(event) > MAX_PAYLOAD:
            return None
        return Call(str(uuid.uuid4()), event, f"{trace_id};Sampled=0")

    async def _watch(self, call: Call, outgoing: Outgoing) -> None:
        """Once the client has left, cut the function's response, as soon as there is one.

        By looking, since a stream's end shows only to a read, which might take the next request.
        """
        while self.tells_disconnect:
            await asyncio.sleep(LOOK)
            if outgoing.is_gone and call.let_go is not None:
                say(f"RequestId: {call.request_id} the client left: the response is cut")
                call.let_go()
                call.fail("Client.Disconnected")
                return


async def _answer(call: Call, method: str, outgoing: Outgoing) -> None:
    while True:
        part = await call.get()
        if isinstance(part, Failed):
            _fail(part, call, outgoing)
            return
        if isinstance(part, End):
            outgoing.end()
            return
        if isinstance(part, Prelude):
            _start(part, call, method, outgoing)
        else:
            await _write(part, outgoing)


def _start(prelude: Prelude, call: Call, method: str, outgoing: Outgoing) -> None:
    headers = [pair for pair in prelude.headers if pair[0].lower() not in _NOT_PASSED]
    headers += [("x-amzn-requestid", call.request_id), ("date", formatdate(usegmt=True))]
    has_body = not wire.forbids_body(prelude.status, method)
    outgoing.start(prelude.status, headers, body=has_body)


async def _write(data: bytes, outgoing: Outgoing) -> None:
    # What is still to come for a client that left is read and dropped, as Lambda does.
    if not outgoing.is_gone:
        with suppress(OSError):
            await outgoing.write(data)


def _fail(failure: Failed, call: Call, outgoing: Outgoing) -> None:
    if outgoing.begun:
        outgoing.abort()
        return
    headers = [*_JSON, ("x-amzn-errortype", failure.kind), ("x-amzn-requestid", call.request_id)]
    outgoing.whole(502, headers, b'{"message":"Internal Server Error"}')
