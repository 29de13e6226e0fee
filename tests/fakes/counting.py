"""Tokenwire in a thread of its own, on an event loop that counts what it is made to do."""

from __future__ import annotations

import asyncio
import contextvars
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVarTuple

from starlette.types import Message, Receive, Scope, Send

from tests.fakes.server import serving
from tokenwire.hotpath import WRITE

Ts = TypeVarTuple("Ts")
_PACKAGE = f"{os.sep}tokenwire{os.sep}"


class CountingLoop(asyncio.SelectorEventLoop):
    """Counts the callbacks, timers, tasks and futures that it creates."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        super().__init__()

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.Handle:
        """As the loop's."""
        self.counts["callbacks"] += 1
        return super().call_soon(callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """As the loop's. Sleeps are counted apart: uvicorn sleeps ten times a second."""
        self.counts["sleeps" if _is_sleep(callback) else "timers"] += 1
        return super().call_at(when, callback, *args, context=context)

    def create_task(
        self, coro: Generator[Any, None, Any] | Coroutine[Any, Any, Any], **how: Any
    ) -> asyncio.Task[Any]:
        """As the loop's."""
        self.counts["tasks"] += 1
        return super().create_task(coro, **how)

    def create_future(self) -> asyncio.Future[Any]:
        """As the loop's."""
        self.counts["futures"] += 1
        return super().create_future()


def _is_sleep(callback: Callable[..., object]) -> bool:
    return getattr(callback, "__name__", "") == "_set_result_unless_cancelled"


class Counted:
    """An ASGI app that counts sends and writes of response bodies.

    Args:
        app: The app inside.
        counts: Where they are counted.
        direct: Whether the server's ``Write`` is passed on.
    """

    def __init__(self, app: Any, counts: Counter[str], *, direct: bool) -> None:
        self._app = app
        self._counts = counts
        self._direct = direct

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        counts = self._counts
        extensions = scope.get("extensions", {})
        write = extensions.pop(WRITE, None)

        async def counted_send(message: Message) -> None:
            counts["sends"] += message["type"] == "http.response.body"
            await send(message)

        def counted_write(data: bytes) -> bool:
            counts["writes"] += 1
            assert write is not None
            return bool(write(data))

        if write is not None and self._direct:
            extensions[WRITE] = counted_write
        await self._app(scope, receive, counted_send)


@contextmanager
def counting(
    environ: Mapping[str, str], *, direct: bool = True
) -> Iterator[tuple[str, Counter[str]]]:
    """Serve tokenwire; yield its base URL and the counts of its loop, which go on.

    The calls are those of tokenwire's own functions.

    Args:
        environ: Its settings.
        direct: As ``Counted``.
    """
    loop = CountingLoop()
    started: list[str] = []
    ready, stop = threading.Event(), asyncio.Event()

    async def main() -> None:
        def around(app: Any) -> Any:
            return Counted(app, loop.counts, direct=direct)

        try:
            async with serving(environ, around) as url:
                started.append(url)
                ready.set()
                await stop.wait()
        finally:
            ready.set()

    def count_calls(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and _PACKAGE in frame.f_code.co_filename:
            loop.counts["calls"] += 1

    def run() -> None:
        sys.setprofile(count_calls)  # of this thread
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(main())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(30)
        yield started[0], loop.counts
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
