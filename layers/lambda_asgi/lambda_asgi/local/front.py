"""The function URL: a request becomes an invocation, its answer a response, as it comes."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formatdate

from .. import wire
from .call import Call, End, Failed, Prelude
from .events import Door, function_url_event
from .http import Incoming, Outgoing
from .pool import Pool, Throttled
from .report import say
from .runtime_api import MAX_PAYLOAD

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
        await self._answer(call, incoming.method, outgoing)

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

    async def _answer(self, call: Call, method: str, outgoing: Outgoing) -> None:
        while True:
            part = await call.get()
            if outgoing.begun and outgoing.is_gone and self._gives_up(call):
                return
            if isinstance(part, Failed):
                _fail(part, call, outgoing)
                return
            if isinstance(part, End):
                outgoing.end()
                return
            if isinstance(part, Prelude):
                _start(part, call, method, outgoing)
            elif not outgoing.is_gone:
                await _write(part, outgoing)

    def _gives_up(self, call: Call) -> bool:
        if not self.tells_disconnect or call.let_go is None:
            return False
        say(f"RequestId: {call.request_id} the client left: the response is cut")
        call.let_go()
        call.fail("Client.Disconnected")
        return True


def _start(prelude: Prelude, call: Call, method: str, outgoing: Outgoing) -> None:
    headers = [pair for pair in prelude.headers if pair[0].lower() not in _NOT_PASSED]
    headers += [("x-amzn-requestid", call.request_id), ("date", formatdate(usegmt=True))]
    has_body = not wire.forbids_body(prelude.status, method)
    outgoing.start(prelude.status, headers, body=has_body)


async def _write(data: bytes, outgoing: Outgoing) -> None:
    # A client that left raises: what is still to come for it is read and dropped.
    with suppress(OSError):
        await outgoing.write(data)


def _fail(failure: Failed, call: Call, outgoing: Outgoing) -> None:
    if outgoing.begun:
        outgoing.abort()
        return
    headers = [*_JSON, ("x-amzn-errortype", failure.kind), ("x-amzn-requestid", call.request_id)]
    outgoing.whole(502, headers, b'{"message":"Internal Server Error"}')
