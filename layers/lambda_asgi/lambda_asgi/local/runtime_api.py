"""The Runtime API's serving side, for one environment: gives out invocations, takes answers.

The environment finds the Invoke API at the same address.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import TypeAlias

from .. import wire
from ..http1 import ProtocolError
from .call import Call, Prelude, put_buffered
from .http import Incoming, Limits, Outgoing, Server
from .invoke import PATH, InvokeApi

MAX_PAYLOAD = 6 * 1024 * 1024
"""Bytes of an event, and of a buffered answer."""

MAX_PRELUDE = 64 * 1024

Slot: TypeAlias = asyncio.Future[Call]
"""A ``/next`` that waits."""

_ACCEPTED = (202, [("content-type", "application/json")], b'{"status":"OK"}\n')


class RuntimeApi:
    """Serves one environment's process.

    Args:
        arn: The function's.
        invoke_api: Takes the events that it sends to itself.
    """

    def __init__(self, arn: str, invoke_api: InvokeApi) -> None:
        self._arn = arn
        self._invoke_api = invoke_api
        # An environment may wait for an event, and take minutes to answer one.
        self._server = Server(self._serve, Limits())
        self._parked: asyncio.Queue[Slot] = asyncio.Queue()
        self._running: dict[str, Call] = {}
        self.init_error: str | None = None

    async def listen(self) -> str:
        """Listen on a free port; the address for ``AWS_LAMBDA_RUNTIME_API``."""
        return f"127.0.0.1:{await self._server.listen('127.0.0.1', 0)}"

    def close(self) -> None:
        """Stop, and cut what is open."""
        self._server.close()

    async def slot(self) -> Slot:
        """Wait until the environment asks for an invocation."""
        return await self._parked.get()

    def give(self, slot: Slot, call: Call) -> None:
        """Answer it with one."""
        self._running[call.request_id] = call
        slot.set_result(call)

    async def _serve(self, incoming: Incoming, outgoing: Outgoing) -> None:
        path = incoming.target.removeprefix(f"{wire.VERSION}/runtime/")
        area, _, what = path.rpartition("/")
        call = self._running.get(area.removeprefix("invocation/"))
        if PATH.fullmatch(incoming.target):
            await self._invoke_api.serve(incoming, outgoing)
        elif path == "invocation/next":
            await self._next(outgoing)
        elif path == "init/error":
            self.init_error = await _error_text(incoming)
            outgoing.whole(*_ACCEPTED)
        elif call is None:
            await incoming.read(MAX_PAYLOAD)
            outgoing.whole(400, [], b'{"errorType":"InvalidRequestID"}')
        elif what == "error":
            await self._error(call, incoming, outgoing)
        else:
            await self._response(call, incoming, outgoing)

    async def _next(self, outgoing: Outgoing) -> None:
        slot: Slot = asyncio.get_running_loop().create_future()
        self._parked.put_nowait(slot)
        call = await slot
        headers = [
            ("Content-Type", "application/json"),
            ("Lambda-Runtime-Aws-Request-Id", call.request_id),
            ("Lambda-Runtime-Deadline-Ms", str(call.deadline_ms)),
            ("Lambda-Runtime-Invoked-Function-Arn", self._arn),
            ("Lambda-Runtime-Trace-Id", call.trace_id),
        ]
        outgoing.whole(200, headers, call.event)

    async def _error(self, call: Call, incoming: Incoming, outgoing: Outgoing) -> None:
        kind = incoming.head.get(wire.ERROR_TYPE.lower(), "Runtime.Unknown")
        call.fail(kind, await _error_text(incoming))
        self._finished(call, outgoing)

    async def _response(self, call: Call, incoming: Incoming, outgoing: Outgoing) -> None:
        call.let_go = outgoing.abort
        if incoming.head.get("lambda-runtime-function-response-mode") != "streaming":
            await self._buffered(call, incoming, outgoing)
        elif await _streamed(call, incoming):
            self._finished(call, outgoing)
        else:
            outgoing.abort()

    async def _buffered(self, call: Call, incoming: Incoming, outgoing: Outgoing) -> None:
        answer = await incoming.read(MAX_PAYLOAD)
        if answer is None:
            call.fail("Function.ResponseSizeTooLarge")
            outgoing.whole(413, [], b'{"errorType":"RequestEntityTooLarge"}')
        else:
            await put_buffered(call, answer)
            self._finished(call, outgoing)

    def _finished(self, call: Call, outgoing: Outgoing) -> None:
        self._running.pop(call.request_id, None)
        outgoing.whole(*_ACCEPTED)


async def _streamed(call: Call, incoming: Incoming) -> bool:
    """Hand a streamed response on; whether it came in good order."""
    try:
        async for part in _parts(incoming):
            await call.put(part)
    except (OSError, ProtocolError, asyncio.IncompleteReadError, ValueError):
        call.fail("Runtime.TruncatedResponse")
        return False
    kind = incoming.trailers.get(wire.ERROR_TYPE.lower())
    if kind is None:
        call.end()
    else:
        call.fail(kind)
    return True


async def _parts(incoming: Incoming) -> AsyncIterator[Prelude | bytes]:
    """The prelude, then the bytes as they come; ValueError if there is no prelude."""
    held = bytearray()
    has_prelude = False
    async for data in incoming.body():
        if has_prelude:
            yield data
            continue
        held += data
        head, nuls, rest = bytes(held).partition(b"\0" * 8)
        if nuls:
            has_prelude = True
            yield Prelude.of(json.loads(head))
            if rest:
                yield rest
        elif len(held) > MAX_PRELUDE:
            break
    if not has_prelude:
        raise ValueError("no prelude")


async def _error_text(incoming: Incoming) -> str:
    try:
        said = json.loads(await incoming.read(MAX_PAYLOAD) or b"{}")
        return f"{said['errorType']}: {said['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return "an error without a text"
