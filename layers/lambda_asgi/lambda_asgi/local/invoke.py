"""The Invoke API: what a function calls to have itself, or another event, run asynchronously.

https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable

from .call import Call, End, Failed, Throttled
from .http import Incoming, Outgoing
from .report import say

PATH = re.compile(r"/2015-03-31/functions/[^/]+/invocations(\?.*)?")
"""Where the API is, for the functions of this machine: each finds its own under any name."""

MAX_EVENT = 1_000_000
"""Bytes of an asynchronous event."""
RETRY = 0.5
"""Seconds until an event that was throttled is tried again; Lambda takes longer, and does not
give up for hours."""
_JSON = [("content-type", "application/json")]


class InvokeApi:
    """Takes events for a function.

    Args:
        invoke: Has an invocation run, or raises ``Throttled``.
    """

    def __init__(self, invoke: Callable[[Call], None]) -> None:
        self._invoke = invoke
        self._running: set[asyncio.Task[None]] = set()

    async def serve(self, incoming: Incoming, outgoing: Outgoing) -> None:
        """One call of the API: ``Event`` only, which a function URL cannot do by itself."""
        event = await incoming.read(MAX_EVENT)
        if event is None:
            outgoing.whole(413, _JSON, b'{"message":"the event is larger than 1 MB"}')
            return
        if incoming.head.get("x-amz-invocation-type", "") != "Event":
            outgoing.whole(400, _JSON, b'{"message":"only asynchronous invocations, here"}')
            return
        call = Call(str(uuid.uuid4()), event, "Root=1-0-0;Sampled=0")
        task = asyncio.create_task(self._run(call))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        outgoing.whole(202, [*_JSON, ("x-amzn-requestid", call.request_id)], b"")

    async def close(self) -> None:
        """Run no more events."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _run(self, call: Call) -> None:
        while True:
            try:
                self._invoke(call)
                break
            except Throttled:
                await asyncio.sleep(RETRY)
        while not isinstance(part := await call.get(), End | Failed):
            pass
        if isinstance(part, Failed):
            say(f"RequestId: {call.request_id} an asynchronous event failed: {part.kind}")
